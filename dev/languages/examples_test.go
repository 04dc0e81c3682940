package languages

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// The page's program, word for word: it prints the URL, then the verdict.
func TestTheExampleVerifiesAUser(t *testing.T) {
	for kind, keys := range keysets(t) {
		t.Run(kind, func(t *testing.T) {
			needsLanguages(t)
			s := start(t, keys, "")
			for _, l := range all {
				t.Run(l.name, func(t *testing.T) {
					tools := l.tools(t)
					runWith(t, root, tools.env, tools.check[len(tools.check)-1]...) // compiles it where that is needed
					user := "example-" + l.name
					p := launch(t, append(tools.verify, user), s.env(tools))
					url := p.line()
					sessions := s.sim.SessionsOf(user)
					require.Len(t, sessions, 1)
					require.Equal(t, sessions[0].URL, url)
					s.of(t).moves(user, didit.StatusApproved)
					assert.Equal(t, "approved", p.line())
					again := launch(t, append(tools.verify, user), s.env(tools))
					assert.Equal(t, "approved", again.line(), "a decided user: no URL")
				})
			}
		})
	}
}

// message is a result as the worker posted it.
type message struct {
	header http.Header
	body   []byte
}

// callbacks keeps what the worker posts.
type callbacks struct {
	*httptest.Server
	mu  sync.Mutex
	got []message
}

func newCallbacks(t *testing.T) *callbacks {
	t.Helper()
	c := &callbacks{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		c.mu.Lock()
		c.got = append(c.got, message{r.Header.Clone(), body})
		c.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *callbacks) about(kind kyc.ResultType) (message, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.got {
		if bytes.Contains(m.body, []byte(`"`+kind+`"`)) {
			return m, true
		}
	}
	return message{}, false
}

// receivers are the page's programs, by language.
func receivers(t *testing.T) map[string]func(t *testing.T) (command, env []string) {
	t.Helper()
	programs := map[string]func(t *testing.T) (command, env []string){
		"go": func(t *testing.T) ([]string, []string) {
			t.Helper()
			bin := filepath.Join(root, "receive")
			run(t, "receive", "go", "build", "-o", bin, ".")
			return []string{bin}, nil
		},
	}
	for _, l := range all {
		programs[l.name] = func(t *testing.T) ([]string, []string) {
			t.Helper()
			tools := l.tools(t)
			runWith(t, root, tools.env, tools.check[len(tools.check)-1]...)
			return tools.receive, tools.env
		}
	}
	return programs
}

// What the worker really posted, sent again in every way that a receiver must bear.
func TestTheExamplesReceiveResults(t *testing.T) {
	needsLanguages(t)
	posted := newCallbacks(t)
	s := start(t, "", posted.URL)
	begun, err := s.Start(s.within(), kyc.Input{UserID: "u1"})
	require.NoError(t, err)
	s.press(begun.Session.URL, "approve")
	s.closed("u1")
	require.NoError(t, s.sim.SetStatus(begun.Session.SessionID, didit.StatusDeclined))
	var completed, changed message
	s.eventually("both results", func() (found bool) {
		var first bool
		completed, first = posted.about(kyc.ResultCompleted)
		changed, found = posted.about(kyc.ResultChanged)
		return first && found
	})
	for name, program := range receivers(t) {
		t.Run(name, func(t *testing.T) {
			command, env := program(t)
			r := &callbackReceiver{t: t, program: launch(t, command, s.env(toolset{env: env}))}
			_, port, _ := strings.Cut(r.line(), "listening on ")
			r.url = "http://127.0.0.1:" + port + "/kyc/results"

			assert.Equal(t, http.StatusUnauthorized, r.post(completed.header, bytes.Replace(completed.body, []byte("approved"), []byte("declined"), 1)))
			old := completed.header.Clone()
			old.Set("webhook-timestamp", "1795435200")
			assert.Equal(t, http.StatusUnauthorized, r.post(old, completed.body))
			assert.Equal(t, http.StatusNoContent, r.post(completed.header, completed.body))
			assert.Equal(t, "verification.completed u1 approved", r.line())
			assert.Equal(t, http.StatusNoContent, r.post(completed.header, completed.body), "a repeat")
			assert.Equal(t, http.StatusNoContent, r.post(changed.header, changed.body))
			assert.Equal(t, "verification.changed u1 declined", r.line(), "a repeat printed nothing")

			late := &callbackReceiver{t: t, program: launch(t, command, s.env(toolset{env: env}))}
			_, port, _ = strings.Cut(late.line(), "listening on ")
			late.url = "http://127.0.0.1:" + port + "/kyc/results"
			assert.Equal(t, http.StatusNoContent, late.post(changed.header, changed.body))
			assert.Equal(t, "verification.changed u1 declined", late.line())
			assert.Equal(t, http.StatusNoContent, late.post(completed.header, completed.body), "older: no news")
			_ = late.cmd.Process.Kill()
			_, more := <-late.lines
			assert.False(t, more, "an older message changed something")
		})
	}
}

// callbackReceiver is one of the page's programs and where it listens.
type callbackReceiver struct {
	*program
	t   *testing.T
	url string
}

func (r *callbackReceiver) post(header http.Header, body []byte) int {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url, bytes.NewReader(body))
	require.NoError(r.t, err)
	req.Header = header.Clone()
	req.Header.Del("Content-Length")
	res, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	_ = res.Body.Close()
	return res.StatusCode
}
