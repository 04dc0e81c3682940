package speed

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"didit-temporal/dev/bench/run"
)

// topStatements are calls, milliseconds, rows and text of the statements that took longest.
const topStatements = `SELECT calls, round(total_exec_time), rows, left(regexp_replace(query, '\s+', ' ', 'g'), 200)
	FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 40`

// profile lets each build measure once more and keeps what its processes and the server did meanwhile.
func (b *bed) profile(ctx context.Context, name string, i int, sides []side) error {
	if b.env.Profile == "" {
		return nil
	}
	if err := os.MkdirAll(b.env.Profile, 0o750); err != nil {
		return err
	}
	for _, s := range sides {
		if s.system == nil {
			continue
		}
		prefix := strings.NewReplacer(" ", "-", ",", "", "/", "-").Replace(name + " " + s.name)
		if err := b.profileOne(ctx, filepath.Join(b.env.Profile, prefix), i, s); err != nil {
			return fmt.Errorf("profile %s: %w", s.name, err)
		}
	}
	return nil
}

func (b *bed) profileOne(ctx context.Context, prefix string, i int, s side) error {
	if _, err := b.statements(ctx, "CREATE EXTENSION IF NOT EXISTS pg_stat_statements", "SELECT pg_stat_statements_reset()"); err != nil {
		return err
	}
	before, err := b.storeCalls(ctx)
	if err != nil {
		return err
	}
	addresses := maps.Clone(s.system.Profiles)
	addresses["server"] = b.server.Pprof
	var all errgroup.Group
	for process, address := range addresses {
		all.Go(func() error {
			url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", address, run.Pick(b.env, 10, 1))
			text, err := fetch(ctx, url)
			if err != nil {
				return err
			}
			return os.WriteFile(prefix+"-"+process+".pprof", text, 0o600)
		})
	}
	_, err = s.measure(ctx, i)
	if err := errors.Join(all.Wait(), err); err != nil {
		return err
	}
	after, err := b.storeCalls(ctx)
	if err != nil {
		return err
	}
	if err := writeCalls(prefix+"-store.txt", before, after); err != nil {
		return err
	}
	top, err := b.statements(ctx, topStatements)
	if err != nil || top == "" {
		return err
	}
	return os.WriteFile(prefix+"-statements.txt", []byte(top+"\n"), 0o600)
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", url, res.Status)
	}
	return io.ReadAll(res.Body)
}

var requests = regexp.MustCompile(`^(?:persistence|visibility_persistence)_requests\{.*operation="([^"]+)".*\} (\S+)$`)

// storeCalls are the server's counts of calls to its stores, by operation.
func (b *bed) storeCalls(ctx context.Context) (map[string]float64, error) {
	text, err := fetch(ctx, "http://"+b.server.Metrics+"/metrics")
	calls := map[string]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if m := requests.FindStringSubmatch(lines.Text()); m != nil {
			n, _ := strconv.ParseFloat(m[2], 64)
			calls[m[1]] += n
		}
	}
	return calls, err
}

func writeCalls(file string, before, after map[string]float64) error {
	var b strings.Builder
	for _, operation := range slices.Sorted(maps.Keys(after)) {
		if n := after[operation] - before[operation]; n > 0 {
			fmt.Fprintf(&b, "%8.0f  %s\n", n, operation)
		}
	}
	return os.WriteFile(file, []byte(b.String()), 0o600)
}

// statements runs some where those of all databases can be seen; it does nothing on SQLite.
func (b *bed) statements(ctx context.Context, all ...string) (string, error) {
	if b.server.Database == nil {
		return "", nil
	}
	return b.server.Database.Query(ctx, "temporal", all...)
}
