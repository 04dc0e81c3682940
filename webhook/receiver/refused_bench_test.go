package receiver_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/webhook/receiver"
)

// BenchmarkRefused is what a forged webhook of 4 KB costs us, its line of log included: an attacker pays for sending it.
func BenchmarkRefused(b *testing.B) {
	wrong := didit.Sign("another secret than ours", []byte("x"))
	body := approval(map[string]any{"decision": string(bytes.Repeat([]byte("x"), 4<<10))})
	v, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{secret}, MaxBody: maxBody, Now: clock})
	require.NoError(b, err)
	h := receiver.New(receiver.Options{
		Verifier: v, Environment: didit.EnvironmentLive, MaxBody: maxBody, Log: slog.New(slog.DiscardHandler),
	}).Handler()
	for name, headers := range map[string][]string{
		"unsigned": nil, "X-Signature": {didit.HeaderSignature}, "X-Signature and V2": {didit.HeaderSignature, didit.HeaderSignatureV2},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				req := httptest.NewRequest(http.MethodPost, receiver.Path, bytes.NewReader(body))
				for _, header := range headers {
					req.Header.Set(header, wrong)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, req)
				if w.Code/100 != 4 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
