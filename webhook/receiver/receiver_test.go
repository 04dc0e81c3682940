package receiver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

const (
	secret  = "receiver-test-secret"
	session = "11111111-2222-4333-8444-555555555555"
	eventID = "5f0c2c1e-2b1e-4d0e-9a57-0d0f5b1c9a01"
	run     = "0190f5fe-7a2c-7c55-9d6f-0b3e5a2f8f10"
	maxBody = 64 << 10

	deployment = "production"
)

var now = time.Unix(1795000000, 0)

func clock() time.Time { return now }

// deliverer is Temporal.
type deliverer func(ctx context.Context, userID string, ev kyc.DiditEvent, from kyc.Origin) (kyc.DeliverResult, error)

func (d deliverer) Deliver(ctx context.Context, userID string, ev kyc.DiditEvent, from kyc.Origin) (kyc.DeliverResult, error) {
	return d(ctx, userID, ev, from)
}

// site is a receiver with its log and what it delivered.
type site struct {
	*receiver.Receiver
	handler   http.Handler
	log       bytes.Buffer
	delivered []kyc.DiditEvent
	users     []string
	origins   []kyc.Origin
	answer    kyc.DeliverResult
}

func newSite(t *testing.T, fails error, ready error, adjust ...func(*receiver.Options)) *site {
	t.Helper()
	v, err := didit.NewVerifier(didit.VerifierOptions{
		Secrets: []string{"an-older-secret-of-ours", secret}, Tolerance: 5 * time.Minute, MaxBody: maxBody, Now: clock,
	})
	require.NoError(t, err)
	s := &site{answer: kyc.DeliveredSignal}
	o := receiver.Options{
		Verifier: v, Environment: didit.EnvironmentLive, Deployment: deployment, MaxBody: maxBody, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
		Ready: func(context.Context) error { return ready },
		Deliverer: deliverer(func(ctx context.Context, userID string, ev kyc.DiditEvent, from kyc.Origin) (kyc.DeliverResult, error) {
			deadline, ok := ctx.Deadline()
			require.True(t, ok)
			require.Less(t, time.Until(deadline), 4*time.Second, "Didit hangs up after 5 s")
			s.users, s.delivered, s.origins = append(s.users, userID), append(s.delivered, ev), append(s.origins, from)
			return s.answer, fails
		}),
	}
	for _, f := range adjust {
		f(&o)
	}
	s.Receiver = receiver.New(o)
	s.handler = s.Handler()
	return s
}

func (s *site) post(req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, req)
	return w
}

// approval is a genuine event with changes to its fields; nil removes one.
func approval(changes map[string]any) []byte {
	fields := map[string]any{
		"event_id": eventID, "webhook_type": "status.updated", "timestamp": now.Unix(), "created_at": now.Unix() - 3,
		"environment": "live", "session_id": session, "session_kind": "user", "status": "Approved", "vendor_data": "u1",
		"metadata": map[string]any{"kyc_deployment": deployment, "temporal_run_id": run, "attempt": 1},
		"decision": map[string]any{"id_verifications": []any{map[string]any{"first_name": "PERSONAL"}}},
	}
	for k, v := range changes {
		if v == nil {
			delete(fields, k)
			continue
		}
		fields[k] = v
	}
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return body
}

func signed(body []byte) *http.Request {
	req := httptest.NewRequest(http.MethodPost, receiver.Path, bytes.NewReader(body))
	req.Header.Set(didit.HeaderSignature, didit.Sign(secret, body))
	req.Header.Set(didit.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	return req
}

func TestAnEventReachesTheUsersVerification(t *testing.T) {
	v2 := func(body []byte) *http.Request {
		req := httptest.NewRequest(http.MethodPost, receiver.Path, bytes.NewReader(body))
		digest, err := didit.SignV2(secret, body)
		require.NoError(t, err)
		req.Header.Set(didit.HeaderSignatureV2, digest)
		return req
	}
	blog := func(body []byte) *http.Request {
		req := httptest.NewRequest(http.MethodPost, receiver.Path, bytes.NewReader(body))
		req.Header.Set("X-Didit-Signature", didit.Sign(secret, body))
		return req
	}
	for name, request := range map[string]func([]byte) *http.Request{"X-Signature": signed, "X-Signature-V2": v2, "the blog's header": blog} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil, nil)
			w := s.post(request(approval(nil)))
			require.Equal(t, http.StatusOK, w.Code, w.Body)
			require.JSONEq(t, `{"status":"received"}`, w.Body.String())
			require.Equal(t, []string{"u1"}, s.users)
			require.Equal(t, []kyc.Origin{{Ours: true, RunID: run}}, s.origins)
			require.Equal(t, []kyc.DiditEvent{{
				EventID: eventID, Type: "status.updated", SessionID: session, Status: "Approved", CreatedAt: now.Unix() - 3,
			}}, s.delivered)
			require.EqualValues(t, 1, s.Counts()[receiver.Received])
			require.Contains(t, s.log.String(), "result=received")
			require.NotContains(t, s.log.String(), "PERSONAL")
		})
	}
}

// The metadata of the session says whose it is. Another program may have written it in any form that is still JSON.
func TestASessionIsOursByItsDeployment(t *testing.T) {
	for name, tc := range map[string]struct {
		metadata any
		want     kyc.Origin
	}{
		"ours":                      {map[string]any{"kyc_deployment": deployment, "temporal_run_id": run, "attempt": 1.0}, kyc.Origin{Ours: true, RunID: run}},
		"ours, as JSON text":        {`{"kyc_deployment":"` + deployment + `","attempt":1}`, kyc.Origin{Ours: true}},
		"of another deployment":     {map[string]any{"kyc_deployment": "staging", "temporal_run_id": run}, kyc.Origin{}},
		"of no deployment":          {map[string]any{"temporal_run_id": run, "attempt": 1}, kyc.Origin{}},
		"none":                      {nil, kyc.Origin{}},
		"in other letters":          {map[string]any{"KYC_Deployment": deployment}, kyc.Origin{}},
		"the deployment is no text": {map[string]any{"kyc_deployment": []string{deployment}}, kyc.Origin{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil, nil)
			require.Equal(t, http.StatusOK, s.post(signed(approval(map[string]any{"metadata": tc.metadata}))).Code)
			require.Equal(t, []kyc.Origin{tc.want}, s.origins)
		})
	}
}

func TestAnUnknownStatusIsPassedOnWordForWord(t *testing.T) {
	s := newSite(t, nil, nil)
	require.Equal(t, http.StatusOK, s.post(signed(approval(map[string]any{"status": "Teleported"}))).Code)
	require.Equal(t, didit.Status("Teleported"), s.delivered[0].Status)
}

func TestGenuineEventsThatChangeNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		changes map[string]any
		want    receiver.Result
	}{
		"another type":            {map[string]any{"webhook_type": "data.updated"}, receiver.Ignored},
		"about an entity":         {map[string]any{"webhook_type": "user.status.updated", "session_id": nil}, receiver.Ignored},
		"of the sandbox":          {map[string]any{"environment": "sandbox"}, receiver.OtherEnvironment},
		"a test from the console": {map[string]any{"metadata": map[string]any{"test_webhook": true}}, receiver.Test},
		"no vendor_data":          {map[string]any{"vendor_data": nil}, receiver.Foreign},
		"an e-mail address":       {map[string]any{"vendor_data": "PERSONAL@example.com"}, receiver.Foreign},
		"no session":              {map[string]any{"session_id": nil}, receiver.Foreign},
		"a session id of no form": {map[string]any{"session_id": "PERSONAL"}, receiver.Foreign},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil, nil)
			require.Equal(t, http.StatusOK, s.post(signed(approval(tc.changes))).Code)
			require.Empty(t, s.delivered)
			require.EqualValues(t, 1, s.Counts()[tc.want])
			require.NotContains(t, s.log.String(), "PERSONAL")
		})
	}
}

func TestEventsOfOlderPayloadsHaveNoEnvironment(t *testing.T) {
	s := newSite(t, nil, nil)
	s.post(signed(approval(map[string]any{"environment": nil, "event_id": nil})))
	require.Len(t, s.delivered, 1)
	require.NotEmpty(t, s.delivered[0].EventID, "an event without event_id gets a key")
}

// A destination of version v1 sends no type, and is said to.
func TestAnEventWithoutATypeIsAChangeOfStatus(t *testing.T) {
	s := newSite(t, nil, nil)
	require.Equal(t, http.StatusOK, s.post(signed(approval(map[string]any{"webhook_type": nil}))).Code)
	require.Len(t, s.delivered, 1)
	require.Equal(t, "status.updated", s.delivered[0].Type)
	require.Contains(t, s.log.String(), "set the destination to version v3")

	s = newSite(t, nil, nil)
	require.Equal(t, http.StatusOK, s.post(signed(approval(map[string]any{"webhook_type": nil, "status": nil}))).Code)
	require.Empty(t, s.delivered)
	require.EqualValues(t, 1, s.Counts()[receiver.Ignored])
}

func TestWhatTemporalAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		answer kyc.DeliverResult
		fails  error
		code   int
		want   receiver.Result
	}{
		"it has it":                {kyc.DeliveredSignal, nil, http.StatusOK, receiver.Received},
		"the verification is over": {kyc.DeliveredResume, nil, http.StatusOK, receiver.Late},
		"it repeats what is known": {kyc.DeliveredNoChange, nil, http.StatusOK, receiver.NoNews},
		"the session is not ours":  {kyc.DeliveredForeign, nil, http.StatusOK, receiver.Foreign},
		"it is down":               {"", errors.New("connection refused"), http.StatusServiceUnavailable, receiver.Unavailable},
		"it took too long":         {"", context.DeadlineExceeded, http.StatusServiceUnavailable, receiver.Unavailable},
		"no run can be started":    {kyc.DeliveredResume, errors.New("exhausted"), http.StatusServiceUnavailable, receiver.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tc.fails, nil)
			s.answer = tc.answer
			require.Equal(t, tc.code, s.post(signed(approval(nil))).Code)
			require.EqualValues(t, 1, s.Counts()[tc.want])
		})
	}
}

func TestRefusals(t *testing.T) {
	body := approval(nil)
	sign := func(body []byte) *http.Request { return signed(body) }
	without := func(names ...string) *http.Request {
		req := signed(body)
		for _, n := range names {
			req.Header.Del(n)
		}
		return req
	}
	with := func(name, value string) *http.Request {
		req := signed(body)
		req.Header.Set(name, value)
		return req
	}
	huge := approval(map[string]any{"filler": strings.Repeat("x", maxBody)})
	for name, tc := range map[string]struct {
		req  *http.Request
		code int
		want receiver.Result
	}{
		"no signature":       {without(didit.HeaderSignature), http.StatusBadRequest, receiver.Unsigned},
		"an empty signature": {with(didit.HeaderSignature, ""), http.StatusBadRequest, receiver.Unsigned},
		"only Simple": {func() *http.Request {
			r := without(didit.HeaderSignature)
			r.Header.Set(didit.HeaderSignatureSimple, didit.SignSimple(secret, now.Unix(), session, "Approved", "status.updated"))
			return r
		}(), http.StatusBadRequest, receiver.Unsigned},
		"another's secret":             {with(didit.HeaderSignature, didit.Sign("another", body)), http.StatusForbidden, receiver.BadSignature},
		"signed for another body":      {with(didit.HeaderSignature, didit.Sign(secret, body[1:])), http.StatusForbidden, receiver.BadSignature},
		"too old":                      {sign(approval(map[string]any{"timestamp": now.Unix() - 301})), http.StatusForbidden, receiver.Stale},
		"too new":                      {sign(approval(map[string]any{"timestamp": now.Unix() + 301})), http.StatusForbidden, receiver.Stale},
		"signed, but not JSON":         {sign([]byte("hello")), http.StatusBadRequest, receiver.Malformed},
		"signed, but two JSON objects": {sign(append(body, "{}"...)), http.StatusBadRequest, receiver.Malformed},
		"signed, but too large":        {sign(huge), http.StatusRequestEntityTooLarge, receiver.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil, nil)
			w := s.post(tc.req)
			require.Equal(t, tc.code, w.Code, w.Body)
			require.Contains(t, w.Body.String(), `"error"`)
			require.EqualValues(t, 1, s.Counts()[tc.want])
			require.Empty(t, s.delivered)
			require.NotContains(t, s.log.String(), "PERSONAL")
		})
	}
}

// reader counts what is read of it.
type reader struct {
	r io.Reader
	n int
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.n += n
	return n, err
}

func TestNothingIsReadBeyondTheCap(t *testing.T) {
	for name, tc := range map[string]struct {
		length int64
		sign   bool
		most   int
	}{
		"unsigned":               {-1, false, 0},
		"oversized, and says so": {maxBody + 1, true, 0},
		"oversized, chunked":     {-1, true, maxBody + 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil, nil)
			body := &reader{r: bytes.NewReader(make([]byte, 10*maxBody))}
			req := httptest.NewRequest(http.MethodPost, receiver.Path, body)
			req.ContentLength = tc.length
			if tc.sign {
				req.Header.Set(didit.HeaderSignature, didit.Sign(secret, nil))
			}
			w := s.post(req)
			require.GreaterOrEqual(t, w.Code, 400)
			require.LessOrEqual(t, body.n, tc.most)
		})
	}
}

func TestHealth(t *testing.T) {
	for name, tc := range map[string]struct {
		path  string
		ready error
		want  int
	}{
		"alive":                         {"/healthz", nil, http.StatusOK},
		"alive though Temporal is away": {"/healthz", errors.New("away"), http.StatusOK},
		"ready":                         {"/readyz", nil, http.StatusOK},
		"not ready without Temporal":    {"/readyz", errors.New("away"), http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil, tc.ready)
			require.Equal(t, tc.want, s.post(httptest.NewRequest(http.MethodGet, tc.path, nil)).Code)
			require.Equal(t, tc.want, s.post(httptest.NewRequest(http.MethodHead, tc.path, nil)).Code)
		})
	}
}

func TestAPanicIsLoggedWithoutItsText(t *testing.T) {
	s := newSite(t, nil, nil)
	req := signed(approval(nil))
	req.Body = io.NopCloser(panics{})
	w := s.post(req)
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Contains(t, s.log.String(), "panic in a handler")
	require.NotContains(t, s.log.String(), "PERSONAL")
	require.NotContains(t, s.log.String(), didit.Sign(secret, approval(nil)))
}

type panics struct{}

func (panics) Read([]byte) (int, error) { panic("PERSONAL") }

func TestOtherMethodsAndPaths(t *testing.T) {
	s := newSite(t, nil, nil)
	require.Equal(t, http.StatusMethodNotAllowed, s.post(httptest.NewRequest(http.MethodGet, receiver.Path, nil)).Code)
	require.Equal(t, http.StatusNotFound, s.post(httptest.NewRequest(http.MethodPost, "/", nil)).Code)
}

// Observers get the outcome of each webhook, and no id of an unsigned one.
func TestEachAnswerIsObserved(t *testing.T) {
	var observed []receiver.Observation
	s := newSite(t, nil, nil, func(o *receiver.Options) {
		o.Observe = func(_ context.Context, one receiver.Observation) { observed = append(observed, one) }
	})
	s.post(signed(approval(nil)))
	forged := signed(approval(nil))
	forged.Header.Set(didit.HeaderSignature, didit.Sign("another", approval(nil)))
	s.post(forged)
	require.Len(t, observed, 2)
	require.Equal(t, receiver.Observation{Result: receiver.Received, Code: 200, EventID: eventID, Took: observed[0].Took, Verified: true}, observed[0])
	require.Positive(t, observed[0].Took)
	require.Equal(t, receiver.Observation{Result: receiver.BadSignature, Code: 403, Took: observed[1].Took}, observed[1])
	require.Contains(t, s.log.String(), "run_id="+run, "the line leads to the verification")
	require.Contains(t, s.log.String(), "workflow_id=kyc-")
}
