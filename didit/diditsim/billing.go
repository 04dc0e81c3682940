package diditsim

import "net/http"

// SetBalance sets the answer of GET /v3/billing/balance/, such as "0.0000". No call costs anything.
func (s *Server) SetBalance(decimal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.balance = decimal
}

// showBalance is GET /v3/billing/balance/ (https://docs.didit.me/management-api/billing/balance).
func (s *Server) showBalance(*application, *http.Request, []byte) *answer {
	return ok(map[string]any{
		"balance": s.balance, "auto_refill_enabled": false, "auto_refill_amount": nil, "auto_refill_threshold": nil,
	})
}

type topUpBody struct {
	Dollars float64 `json:"amount_in_dollars"`
}

// topUp is POST /v3/billing/top-up/. The checkout is no page.
func topUp(_ *application, _ *http.Request, b topUpBody) *answer {
	if b.Dollars < 50 {
		return invalid("amount_in_dollars", "Ensure this value is greater than or equal to 50.")
	}
	return ok(map[string]string{
		"checkout_session_id": "simulated", "checkout_session_url": "https://checkout.example/simulated",
	})
}
