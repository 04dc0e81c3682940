// Package pythonjson compares what we sign with what Python's json signs, which is what Didit uses.
package pythonjson

import (
	"bufio"
	"encoding/base64"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
)

var (
	length = flag.Duration("for", 2*time.Second, "how long to compare")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the bodies")
)

const secret = "differential-secret-of-no-account"

// peer is Python.
type peer struct {
	in  io.Writer
	out *bufio.Scanner
}

func python(t *testing.T) *peer {
	t.Helper()
	cmd := exec.Command(skip.Program(t, "python3", "python3"), "sign.py", secret)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &peer{in, bufio.NewScanner(out)}
}

// sign returns the digest, or why there is none.
func (p *peer) sign(t *testing.T, body []byte) (digest, why string) {
	t.Helper()
	_, err := io.WriteString(p.in, base64.StdEncoding.EncodeToString(body)+"\n")
	require.NoError(t, err)
	require.True(t, p.out.Scan(), "Python has ended")
	if why, failed := strings.CutPrefix(p.out.Text(), "error "); failed {
		return "", why
	}
	return p.out.Text(), ""
}

// What we refuse although Python takes it: bounds of ours, and infinity.
var stricter = regexp.MustCompile(`nested too deep|number out of range`)

// compare reports how the two differ on a body; empty if they agree.
func compare(t *testing.T, p *peer, body []byte) string {
	t.Helper()
	t.Helper()
	theirs, why := p.sign(t, body)
	ours, err := didit.SignV2(secret, body)
	switch {
	case err == nil && why == "" && ours != theirs:
		return "another digest"
	case err == nil && why != "" && !strings.Contains(why, "4300 digits"): // Python's limit for integers
		return "we take what Python refuses: " + why
	case err != nil && why == "" && !stricter.MatchString(err.Error()) && !notFinite(body):
		return "Python takes what we refuse: " + err.Error()
	}
	return ""
}

func notFinite(body []byte) bool {
	return strings.Contains(string(body), "NaN") || strings.Contains(string(body), "Infinity")
}

func TestWeSignWhatPythonSigns(t *testing.T) {
	p := python(t)
	kept, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	for _, file := range kept {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Empty(t, compare(t, p, body), file)
	}
	g, bodies, until := generator{rand.New(rand.NewPCG(*seed, 0))}, 0, time.Now().Add(*length)
	signed := 0
	for ; time.Now().Before(until); bodies++ {
		body := g.body()
		if how := compare(t, p, body); how != "" {
			file := filepath.Join("testdata", "found.json")
			require.NoError(t, os.WriteFile(file, body, 0o600))
			t.Fatalf("seed %d, body %d, kept in %s: %s\n%.500q", *seed, bodies, file, how, body)
		}
		if _, err := didit.SignV2(secret, body); err == nil {
			signed++
		}
	}
	t.Logf("%d bodies, %d of which have a canonical text, seed %d", bodies, signed, *seed)
	require.Positive(t, signed)
}
