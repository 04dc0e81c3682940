// Command receive takes results at POST /kyc/results on port PORT: it verifies, drops repeats, orders, then prints what
// changed.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"didit-temporal/kyc"
)

// store stands for two tables; save is one transaction on them.
type store struct {
	mu    sync.Mutex
	seen  map[string]bool
	users map[string]time.Time
}

// save reports whether the message is new: a repeat changes nothing, an older message nothing newer.
func (s *store) save(id string, m kyc.Result) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[id] {
		return false
	}
	s.seen[id] = true
	if !m.Data.UpdatedAt.After(s.users[m.Data.UserID]) {
		return false
	}
	s.users[m.Data.UserID] = m.Data.UpdatedAt
	return true
}

func main() {
	webhook, err := standardwebhooks.NewWebhook(os.Getenv("RESULT_SECRET")) // whsec_...
	if err != nil {
		log.Fatal(err)
	}
	s := &store{seen: map[string]bool{}, users: map[string]time.Time{}}
	http.HandleFunc("POST /kyc/results", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil || webhook.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var m kyc.Result // or a struct of your own
		if json.Unmarshal(body, &m) != nil {
			w.WriteHeader(http.StatusServiceUnavailable) // it comes again
			return
		}
		if s.save(r.Header.Get("webhook-id"), m) {
			fmt.Println(m.Type, m.Data.UserID, either(string(m.Data.Outcome), string(m.Data.Status)))
		}
		w.WriteHeader(http.StatusNoContent)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:"+either(os.Getenv("PORT"), "3000"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{ReadTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
