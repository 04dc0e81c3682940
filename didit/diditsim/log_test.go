package diditsim

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestTheLogOfDeliveriesStaysSmall(t *testing.T) {
	s := New(Options{KeepDeliveries: 10})
	t.Cleanup(s.Close)
	for i := range 10_000 {
		s.dispatcher.note(&attempt{DeliveryAttempt: DeliveryAttempt{Attempt: i}})
		assert.LessOrEqual(t, cap(s.dispatcher.log), 40)
	}
	assert.Equal(t, 9_990, s.Deliveries()[0].Attempt)
	assert.Len(t, s.Deliveries(), 10)
}

func TestNothingIsLeftOfADeletedSession(t *testing.T) {
	s := New(Options{WebhookURL: "http://127.0.0.1:1", Webhooks: masked(1, []Send{{Hold: true}})})
	t.Cleanup(s.Close)
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.add(createBody{VendorData: "u1", flow: newFlow(defaultFlow)}, "")
	assert.Len(t, x.waiting, 1)
	s.remove(x)
	assert.Empty(t, x.waiting)
	assert.Empty(t, s.all)
	assert.Empty(t, s.byID)
	assert.Empty(t, s.byToken)
	assert.Empty(t, s.byVendor)
}
