package audit

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
)

// Creates counts the calls to create a session, by user, whatever became of them. The zero value is ready.
type Creates struct {
	mu sync.Mutex
	by map[string]int
}

// Before counts a request that is one of these, and passes all on.
func (c *Creates) Before(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/v3/session/" {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			c.add(body)
		}
		h.ServeHTTP(rw, r)
	})
}

func (c *Creates) add(body []byte) {
	var create struct {
		VendorData string `json:"vendor_data"`
	}
	_ = json.Unmarshal(body, &create)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]int{}
	}
	c.by[create.VendorData]++
}

// Of is how many there were for a user.
func (c *Creates) Of(user string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by[user]
}
