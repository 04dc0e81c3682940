package e2e

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"

	"didit-temporal/didit"
	"didit-temporal/webhook/receiver"
)

// evaluations is how often the rules are asked while strangers send; Prometheus asks once a second.
const evaluations = 20

// strangersWakeNobody sends what strangers send, with a genuine webhook now and then, and expects no alert.
func (w *watched) strangersWakeNobody() {
	genuine := w.again(func() { w.send(secret, foreignEvent("somebody")) })
	var stalled []net.Conn
	strangers := w.again(func() {
		w.strange()
		if c := w.stall(); c != nil {
			stalled = append(stalled, c)
		}
	})
	seen := func() float64 {
		return w.prom.number(`count_over_time(kyc_webhook_deliveries_total{result="bad_signature"}[1h])`)
	}
	w.eventually(func() bool {
		return w.prom.number(`increase(kyc_webhook_deliveries_total{result="bad_signature"}[10s])`) > 5
	}, "strangers are counted")
	began := seen()
	w.eventually(func() bool { return seen() >= began+evaluations }, "the rules were asked often enough")
	for _, s := range w.prom.query(`count_over_time(ALERTS{alertstate="firing",alertname=~"Kyc.*"}[` + strconv.Itoa(evaluations) + `s])`) {
		assert.Fail(w.t, "strangers have woken the operator", "%v", s.Metric)
	}
	strangers()
	genuine()
	for _, c := range stalled { // a webhook that stops would wait for them
		_ = c.Close()
	}
}

// strange is a forgery, a large body without a signature, a body that never ends, a scanner, and many health checks.
func (w *watched) strange() {
	w.sendWith(w.webhookURL, strings.Repeat("0", 64), foreignEvent("somebody"))
	w.sendWith(w.webhookURL, "", strings.Repeat("x", 40_000))
	root := strings.TrimSuffix(w.webhookURL, receiver.Path)
	w.sendWith(root+"/wp-login.php", "", "log=admin")
	for range 20 {
		if res, err := http.Get(root + "/readyz"); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	}
}

func (w *watched) sendWith(to, signature, body string) {
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return
	}
	if signature != "" {
		req.Header.Set(didit.HeaderSignature, signature)
	}
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
	}
}

// stall begins a body and does not end it; nil if the connection is refused.
func (w *watched) stall() net.Conn {
	u, err := url.Parse(w.webhookURL)
	if err != nil {
		return nil
	}
	c, err := net.DialTimeout("tcp", u.Host, time.Second)
	if err != nil {
		return nil
	}
	_, _ = io.WriteString(c, "POST "+receiver.Path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"+didit.HeaderSignature+": "+strings.Repeat("0", 64)+"\r\n\r\n{")
	return c
}

// number is the first value of an expression, 0 if it has none.
func (p *prom) number(expr string) float64 {
	for _, s := range p.query(expr) {
		if text, ok := s.Values[0][1].(string); ok {
			n, _ := strconv.ParseFloat(text, 64)
			return n
		}
	}
	return 0
}
