package proxies

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
	"didit-temporal/internal/config"
)

// TestProxies does all that docs/operations/proxies.md promises, one proxy after the other on one system.
func TestProxies(t *testing.T) {
	skip.Long(t)
	e := newEnv(t)
	for _, p := range proxies {
		t.Run(p.name, func(t *testing.T) {
			sub := *e
			sub.t = t
			r := p.start(t, &sub)
			version, _ := exec.Command(p.version[0], p.version[1:]...).CombinedOutput()
			t.Logf("%s: %s", p.name, strings.SplitN(string(version), "\n", 2)[0])
			sub.takesEveryByte(r)
			sub.takesTheCapAndRefusesAByteMore(r)
			sub.refusesLargeBodiesWithoutHarm(r)
			sub.believesNoSender(r)
			sub.answersNoOtherHost(r)
			sub.servesBehindAPrefix(r)
			if *longPolls {
				sub.letsLongPollsWait(r)
			}
			sub.keepsBodiesOffTheDisk(r)
			if p.name == "caddy" && oldCaddy(t) {
				skip.Missing(t, "this Caddy cannot repeat a POST; make proxies builds a newer one")
			}
			sub.losesNothing(r)
		})
	}
}

// A signature covers bytes: nothing on the way may rewrite them.
func (e *env) takesEveryByte(r *run) {
	s := r.from(didit, diditTimeout)
	for name, extra := range map[string]string{
		"escapes":    `,"a":"caf\u00e9 \/ \ud83d\ude00"`,
		"raw UTF-8":  `,"a":"café / 😀 Ω"`,
		"spacing":    ",\r\n\t \"a\" :  1.50e+00 ,\"b\":-0.0",
		"header-ish": `,"a":"x\r\nTransfer-Encoding: chunked\r\n\r\n0"`,
		"60 kB":      `,"a":"` + strings.Repeat("é", 30_000) + `"`,
	} {
		id := uuid.NewString()
		body := e.event(0, id, extra, 0)
		a := s.must(e.t, http.MethodPost, hook, bytes.NewReader(body), signed(body))
		assert.Equal(e.t, http.StatusOK, a.code, "%s: %s", name, a.body)
		assert.Equal(e.t, 1, e.stored()[id], name)
	}
	body := e.event(0, uuid.NewString(), "", 0)
	chunked := struct{ *bytes.Reader }{bytes.NewReader(body)} // net/http cannot know the length
	assert.Equal(e.t, http.StatusOK, s.must(e.t, http.MethodPost, hook, chunked, signed(body)).code, "chunked")
}

func (e *env) takesTheCapAndRefusesAByteMore(r *run) {
	s := r.from(didit, diditTimeout)
	limit := bodyCap(e.t)
	for size, want := range map[int]int{limit: http.StatusOK, limit + 1: http.StatusRequestEntityTooLarge} {
		body := e.event(1, uuid.NewString(), "", size)
		require.Len(e.t, body, size)
		a := s.must(e.t, http.MethodPost, hook, bytes.NewReader(body), signed(body))
		assert.Equal(e.t, want, a.code, "%d bytes", size)
	}
}

// bodyCap is the default of WEBHOOK_MAX_BODY.
func bodyCap(t *testing.T) int {
	t.Helper()
	cfg, _ := config.ForWebhook(func(string) string { return "" })
	require.NotZero(t, cfg.MaxBody)
	return int(cfg.MaxBody)
}

// A refusal must not take a replica out: the next webhook might be the one that counts.
func (e *env) refusesLargeBodiesWithoutHarm(r *run) {
	stranger, genuine := r.from("127.0.0.3", diditTimeout), r.from(didit, diditTimeout)
	for range 20 {
		for _, s := range []sender{stranger, genuine} {
			a := s.must(e.t, http.MethodPost, hook, bytes.NewReader(make([]byte, 40_000)), nil)
			require.Contains(e.t, []int{http.StatusBadRequest, http.StatusForbidden}, a.code)
		}
		body := e.event(2, uuid.NewString(), "", 0)
		require.Equal(e.t, http.StatusOK, genuine.must(e.t, http.MethodPost, hook, bytes.NewReader(body), signed(body)).code)
	}
}

// WEBHOOK_ALLOW_FROM goes by the address that the proxy saw, not by what the sender wrote.
func (e *env) believesNoSender(r *run) {
	body := e.event(3, uuid.NewString(), "", 0)
	header := signed(body)
	header["X-Forwarded-For"] = []string{didit}
	header["Forwarded"] = []string{"for=" + didit}
	header["X-Real-Ip"] = []string{didit}
	a := r.from("127.0.0.3", diditTimeout).must(e.t, http.MethodPost, hook, bytes.NewReader(body), header)
	assert.Equal(e.t, http.StatusForbidden, a.code, "a stranger who writes the header")
	header["X-Forwarded-For"] = []string{"127.0.0.3"}
	a = r.from(didit, diditTimeout).must(e.t, http.MethodPost, hook, bytes.NewReader(body), header)
	assert.Equal(e.t, http.StatusOK, a.code, "Didit, whatever it writes")
}

// Didit counts any 2xx as delivered.
func (e *env) answersNoOtherHost(r *run) {
	body := e.event(4, uuid.NewString(), "", 0)
	s := r.from(didit, diditTimeout)
	a, err := s.do(e.t.Context(), http.MethodPost, "https://"+strangeHost+"/webhooks/didit", bytes.NewReader(body), signed(body))
	if err == nil { // nginx refuses the handshake
		assert.Equal(e.t, http.StatusMisdirectedRequest, a.code, "a host that is not ours")
	}
	header := signed(body)
	header.Set("Host", strangeHost)
	a, err = s.do(e.t.Context(), http.MethodPost, hook, bytes.NewReader(body), header)
	require.NoError(e.t, err)
	assert.Equal(e.t, http.StatusMisdirectedRequest, a.code, "the right name in TLS, another in the Host header")
}

// The API and the codec server are reached below a path of a host that has other things too.
func (e *env) servesBehindAPrefix(r *run) {
	s := r.from("127.0.0.1", timeout)
	base, auth := "https://"+internalHost, http.Header{"Authorization": {"Bearer " + token}}
	a := s.must(e.t, http.MethodGet, base+"/kyc/openapi.json", nil, nil)
	assert.Equal(e.t, http.StatusOK, a.code)
	assert.Contains(e.t, a.body, `"openapi"`)
	a = s.must(e.t, http.MethodGet, base+"/kyc/v1/verifications/nobody", nil, auth)
	assert.Equal(e.t, http.StatusNotFound, a.code)
	assert.Contains(e.t, a.body, "no-such-verification")

	user := "behind-" + uuid.NewString()
	a = s.must(e.t, http.MethodPost, base+"/kyc/v1/verifications", strings.NewReader(`{"user_id":"`+user+`"}`), http.Header{
		"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"},
	})
	require.Equal(e.t, http.StatusCreated, a.code, a.body)
	assert.Equal(e.t, "/kyc/v1/verifications/"+user, a.header.Get("Location"), "it leads back through the proxy")
	e.signInToTheCodecServer(s, base)
}

func (e *env) signInToTheCodecServer(s sender, base string) {
	page := s.must(e.t, http.MethodGet, base+"/codec/login", nil, nil)
	assert.Equal(e.t, http.StatusOK, page.code)
	assert.Contains(e.t, page.body, `action="login"`, "the form is sent below the prefix")
	a := s.must(e.t, http.MethodPost, base+"/codec/login", strings.NewReader("token="+token),
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {base}, "Sec-Fetch-Site": {"same-origin"}})
	require.Equal(e.t, http.StatusOK, a.code, a.body)
	var cookies []string
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		cookies = append(cookies, c.Path)
	}
	assert.ElementsMatch(e.t, []string{"/codec/decode", "/codec/encode"}, cookies, "the browser sends the cookie to them only")
	a = s.must(e.t, http.MethodPost, base+"/codec/decode", strings.NewReader(`{"payloads":[]}`), http.Header{
		"Content-Type": {"application/json"}, "Origin": {base}, "Cookie": {strings.SplitN(a.header.Get("Set-Cookie"), ";", 2)[0]},
	})
	assert.Equal(e.t, http.StatusOK, a.code, a.body)
}

// The longest long poll is answered by us, not by a proxy that hangs up.
func (e *env) letsLongPollsWait(r *run) {
	s, url := r.from("127.0.0.1", timeout), "https://"+internalHost+"/kyc/v1/verifications"
	header := http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}}
	s.must(e.t, http.MethodPost, url, strings.NewReader(`{"user_id":"waits"}`), header)
	began := time.Now()
	a := s.must(e.t, http.MethodGet, url+"/waits?wait=45s", nil, header)
	assert.Equal(e.t, http.StatusOK, a.code, a.body)
	e.t.Logf("a long poll of 45 s: %d after %s", a.code, time.Since(began).Round(time.Second))
}

const postsPerSecond = 150

// losesNothing kills, stops and restarts each replica in turn while webhooks come.
func (e *env) losesNothing(r *run) {
	ctx, stop := context.WithCancel(e.t.Context())
	defer stop()
	failing := make(chan error, 1)
	go func() { failing <- e.failInTurn(ctx) }()
	s := r.from(didit, diditTimeout)
	got := e.sendAll(ctx, s, *posts, postsPerSecond)
	rest := e.sendUntil(ctx, s, failing)
	stored, doubled := e.stored(), 0
	for _, part := range []*report{got, rest} {
		assert.Empty(e.t, part.unheard, "webhooks that three tries did not bring in")
		for _, id := range part.events {
			if stored[id] == 0 {
				e.t.Errorf("event %s is in no history", id)
			}
			if stored[id] > 1 {
				doubled++
			}
		}
		assert.Zero(e.t, part.first["502"], "bad gateway")
	}
	assert.Zero(e.t, doubled, "events that are in a history twice")
	e.t.Logf("%d webhooks and %d more until all was done: first answers %v and %v, slowest %s, lost 0, doubled %d",
		len(got.events), len(rest.events), got.first, rest.first, max(got.slowest, rest.slowest).Round(time.Millisecond), doubled)
}

// sendUntil goes on until the replicas have failed as often as they are to.
func (e *env) sendUntil(ctx context.Context, s sender, done <-chan error) *report {
	all := &report{first: map[string]int{}}
	for ctx.Err() == nil {
		select {
		case err := <-done:
			require.NoError(e.t, err)
			return all
		default:
		}
		part := e.sendAll(ctx, s, postsPerSecond/3, postsPerSecond)
		all.events, all.unheard = append(all.events, part.events...), append(all.unheard, part.unheard...)
		for kind, n := range part.first {
			all.first[kind] += n
		}
		all.slowest = max(all.slowest, part.slowest)
	}
	return all
}

// hangs is longer than the proxies wait for an answer.
const hangs = 6 * time.Second

func (e *env) failInTurn(ctx context.Context) error {
	for _, fail := range []func(context.Context, replica) error{killed, hung, restarted} {
		for _, w := range e.webhooks {
			if err := fail(ctx, w); err != nil {
				return err
			}
			if _, err := w.Working(ctx); err != nil {
				return err
			}
			w.served(ctx)
		}
	}
	return nil
}

// servedAgain is how often a replica is seen to take something new before the next one fails: more than what had waited for
// it, so that the proxy sends it webhooks again.
const servedAgain = 10

// served waits until the proxy sends the replica webhooks again.
func (r replica) served(ctx context.Context) {
	last := r.Log()
	for seen := 0; seen < servedAgain && ctx.Err() == nil; {
		pause(ctx, 50*time.Millisecond)
		if now := r.Log(); now != last && strings.Contains(now, "result=received") {
			last, seen = now, seen+1
		}
	}
}

func killed(ctx context.Context, w replica) error { return w.Kill(ctx) }

// hung stops the process as a machine does that swaps: its port is open, and nothing answers.
func hung(ctx context.Context, w replica) error {
	p, err := w.Working(ctx)
	if err != nil {
		return err
	}
	if err := syscall.Kill(p.PID(), syscall.SIGSTOP); err != nil {
		return err
	}
	pause(ctx, hangs)
	return syscall.Kill(p.PID(), syscall.SIGCONT)
}

func restarted(ctx context.Context, w replica) error {
	p, err := w.Working(ctx)
	if err != nil {
		return err
	}
	return w.End(p, syscall.SIGTERM)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// keepsBodiesOffTheDisk reads what the proxy complained of: nginx warns of each body that it writes to a file.
func (e *env) keepsBodiesOffTheDisk(r *run) {
	text, err := os.ReadFile(r.log)
	require.NoError(e.t, err)
	assert.NotContains(e.t, string(text), "buffered to a temporary file", "a body holds the person's data")
}
