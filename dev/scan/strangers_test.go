package scan

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// event is a webhook full of markers.
func event(change map[string]any) string {
	fields := map[string]any{
		"event_id": uuid.NewString(), "webhook_type": didit.EventStatusUpdated, "timestamp": time.Now().Unix(), "created_at": time.Now().Unix(),
		"environment": "live", "session_id": uuid.NewString(), "status": "Approved", "vendor_data": "approved", "workflow_id": flow,
		"metadata": map[string]any{"note": marker("comment")}, "decision": map[string]any{"first_name": marker("first_name")},
	}
	fill(fields["decision"].(map[string]any))
	for k, v := range change {
		fields[k] = v
	}
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err) // there is nothing in it that JSON cannot hold
	}
	return string(body)
}

// knock sends the webhook what Didit may send beside our events, and what strangers may send.
func (w *env) knock() {
	w.t.Helper()
	post := func(want int, body, signature string, more map[string]string) {
		w.t.Helper()
		header := map[string]string{
			"Content-Type": "application/json", "User-Agent": marker("stranger"), "X-Forwarded-For": markedIPv4 + ", " + markedIPv6,
			"Authorization": "Bearer " + marker("stranger"), "Cookie": "a=" + marker("cookie"), "X-Request-Id": marker("stranger"),
		}
		if signature != "" {
			header[didit.HeaderSignature] = signature
		}
		for k, v := range more {
			header[k] = v
		}
		code, answer := w.call(sink{name: "answer of the webhook"}, http.MethodPost, w.webhookURL+"?who="+marker("stranger"), body, header)
		require.Equal(w.t, want, code, "%s for %.200s", answer, body)
	}
	signed := func(want int, body string) {
		w.t.Helper()
		post(want, body, didit.Sign(webhookSecret, []byte(body)), nil)
	}

	// Genuine, and not about a verification of ours.
	signed(200, event(map[string]any{"webhook_type": "user.data.updated"}))
	signed(200, event(map[string]any{"webhook_type": marker("stranger")}))
	signed(200, event(map[string]any{"environment": marker("stranger")}))
	signed(200, event(map[string]any{"environment": "sandbox"}))
	signed(200, event(map[string]any{"vendor_data": markedEmail}))
	signed(200, event(map[string]any{"vendor_data": markedPhone, "status": marker("status")}))
	signed(200, event(map[string]any{"vendor_data": marker("vendor")})) // might be a user id, and is not one of ours
	signed(200, event(map[string]any{"session_id": marker("stranger")}))
	signed(200, event(map[string]any{"event_id": marker("stranger")}))
	signed(200, event(map[string]any{"vendor_data": "approved", "metadata": map[string]any{"kyc_deployment": w.Namespace(), "temporal_run_id": uuid.NewString()}}))
	body := event(map[string]any{"metadata": map[string]any{"test_webhook": true}})
	post(200, body, didit.Sign(nextSecret, []byte(body)), map[string]string{"X-Didit-Test-Webhook": "true"})

	// Forged, stale, malformed, too large.
	post(400, event(nil), "", nil)
	post(403, event(nil), marker("stranger"), nil)
	post(403, event(nil), didit.Sign("a-secret-of-somebody-else", []byte("x")), map[string]string{didit.HeaderTimestamp: marker("stranger")})
	signed(403, event(map[string]any{"timestamp": time.Now().Add(-time.Hour).Unix()}))
	signed(400, event(nil)[1:])
	signed(400, `["`+marker("stranger")+`"]`)
	signed(400, marker("stranger"))
	signed(400, event(map[string]any{"timestamp": marker("stranger")}))
	signed(400, event(map[string]any{"status": map[string]any{"a": marker("stranger")}}))
	post(413, strings.Repeat(marker("stranger"), 300<<10/len(marker("stranger"))), strings.Repeat("0", 64), nil)
	code, _ := w.call(sink{name: "answer of the webhook"}, http.MethodPut, w.webhookURL+"/"+marker("stranger"), event(nil), nil)
	require.Equal(w.t, http.StatusNotFound, code)

	// An unknown status of Didit, about a verification of ours.
	for _, s := range w.sim.SessionsOf("cancelled") {
		signed(200, event(map[string]any{"vendor_data": "cancelled", "session_id": s.ID, "status": "Under Observation"}))
	}
}

// ask calls the HTTP API, in right and in wrong ways.
func (w *env) ask() {
	w.t.Helper()
	auth := map[string]string{"Authorization": "Bearer " + bearer, "Content-Type": "application/json", "User-Agent": marker("stranger")}
	// It names the fields that the caller should not have sent, to the caller.
	call := func(method, path, body string, header map[string]string) (int, string) {
		w.t.Helper()
		return w.call(sink{name: "answer of the API", may: []class{classSession, classStranger}}, method, w.apiURL+path, body, header)
	}
	code, answer := call(http.MethodPost, "", `{"user_id":"api-1","extra":"`+marker("extra")+`"}`, auth)
	require.Less(w.t, code, 500, answer)
	code, answer = call(http.MethodPost, "", `{"user_id":"api-1"}`, auth)
	require.Less(w.t, code, 300, answer)
	call(http.MethodGet, "/api-1", "", auth)
	w.moves("api-1", didit.StatusInProgress, didit.StatusApproved)
	w.ends("api-1", kyc.OutcomeApproved)
	call(http.MethodGet, "/api-1?wait=1s", "", auth)
	call(http.MethodGet, "/"+markedEmail, "", auth)
	call(http.MethodGet, "/api-1?wait="+marker("stranger")+"&who="+marker("stranger"), "", auth)
	for _, body := range []string{
		`{"user_id":"` + markedEmail + `"}`, `{"user_id":"` + markedPhone + `","return_url":"` + marker("stranger") + `"}`,
		`{"user_id":"x","language":"` + marker("stranger") + `","priority":"` + marker("stranger") + `","workflow_id":"` + marker("stranger") + `"}`,
		`{"` + marker("stranger") + `":1}`, `["` + marker("stranger") + `"]`, marker("stranger"), `{"user_id":7,"a":"` + marker("stranger"),
		`{"user_id":"` + strings.Repeat(marker("stranger"), 1000) + `"}`,
	} {
		call(http.MethodPost, "", body, auth)
	}
	call(http.MethodPost, "", `{"user_id":"x"}`, map[string]string{"Authorization": "Bearer " + marker("stranger")})
	call(http.MethodPost, "", `{"user_id":"x"}`, map[string]string{"Authorization": "Basic " + marker("stranger"), "X-Forwarded-For": markedIPv4})
	call("ZQX"+marker("stranger"), "/"+marker("stranger")+"/"+marker("stranger"), "", auth)
	w.sim.ClearFaults()
}

// shout lets the receiver of results fail and repeat what it was sent.
func (w *env) shout() {
	w.t.Helper()
	tries := 0
	w.receiver(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		tries++
		try := tries
		w.mu.Unlock()
		rw.Header().Set("X-Answer", marker("answer"))
		switch try {
		case 1:
			rw.WriteHeader(http.StatusInternalServerError)
		case 2:
			rw.Header().Set("Location", "https://"+marker("answer")+".test/")
			rw.WriteHeader(http.StatusTemporaryRedirect)
		case 3:
			rw.Header().Set("Retry-After", marker("answer"))
			rw.WriteHeader(http.StatusTooManyRequests)
		case 4:
			conn, _, err := http.NewResponseController(rw).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, marker("answer")+" is not HTTP\r\n\r\n")
				_ = conn.Close()
			}
			return
		case 5:
			panic(http.ErrAbortHandler) // hangs up
		case 6:
			rw.Header().Set("Content-Encoding", "gzip")
			rw.WriteHeader(http.StatusForbidden)
		}
		_, _ = fmt.Fprint(rw, marker("answer"), r.Header, r.URL, markedEmail)
	})
	w.begin("shouted")
	w.moves("shouted", didit.StatusInProgress, didit.StatusApproved)
	w.eventually(func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return tries > 6
	}, strconv.Itoa(6)+" tries that fail, and one that does not")
	w.ends("shouted", kyc.OutcomeApproved)
	w.receiver(func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusGone) // for good: it is in a history
		_, _ = fmt.Fprint(rw, marker("answer"), markedEmail)
	})
	w.begin("gone")
	w.moves("gone", didit.StatusInProgress, didit.StatusDeclined)
	w.ends("gone", kyc.OutcomeDeclined)
	for _, more := range [][]string{nil, {"--history"}, {"--history", "-o", "json"}} {
		w.cli(append([]string{"status", "--user", "gone"}, more...)...)
	}
	w.receiver(nil)
}
