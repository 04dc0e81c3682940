package languages

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

func (c *clientTest) ofAnotherFlow(user string) {
	refused := func(in kyc.Input) {
		c.t.Helper()
		got := c.do(order{Do: "start", Input: &in})
		assert.Equal(c.t, "FlowError", got.Error, got.Message)
		assert.Contains(c.t, got.Message, "the verification is of flow "+flow+", not "+otherFlow)
	}
	first := c.start(kyc.Input{UserID: user})
	refused(kyc.Input{UserID: user, WorkflowID: otherFlow})
	same := c.start(kyc.Input{UserID: user, WorkflowID: flow})
	assert.Equal(c.t, first.OK.Session.URL, same.OK.Session.URL)

	c.moves(user, didit.StatusApproved)
	refused(kyc.Input{UserID: user, WorkflowID: otherFlow})
	c.closed(user)
	refused(kyc.Input{UserID: user, WorkflowID: otherFlow})
	assert.Len(c.t, c.sim.SessionsOf(user), 1)
	c.start(kyc.Input{UserID: user, WorkflowID: otherFlow, Reverify: true})
	c.flowOf(user, otherFlow)

	open := user + "-open"
	c.start(kyc.Input{UserID: open})
	c.start(kyc.Input{UserID: open, WorkflowID: otherFlow, Reverify: true})
	c.flowOf(open, otherFlow)
}

func (c *clientTest) flowOf(user, want string) {
	c.t.Helper()
	state, err := c.State(c.within(), user)
	require.NoError(c.t, err)
	assert.Equal(c.t, want, state.WorkflowID)
	assert.Len(c.t, c.sim.SessionsOf(user), 2)
}

// A link that is older than a minute may have expired, and that webhook been lost: each client lets Didit confirm it.
func TestAnOldLinkIsConfirmedInEachLanguage(t *testing.T) {
	needsLanguages(t)
	s := start(t, "", "")
	var clients []*clientTest
	for _, l := range all {
		t.Run(l.name, func(t *testing.T) { l.tools(t) }) // may skip
		if tools, done := installed[l.name]; done {
			clients = append(clients, &clientTest{system: s, driver: s.drive(tools), t: t, name: l.name})
		}
	}
	first := map[string]reply{}
	for _, c := range clients {
		for _, user := range []string{"expired", "fine", "slow"} {
			first[c.name+user] = c.start(kyc.Input{UserID: c.name + user})
		}
	}
	s.sim.SetWebhook("http://127.0.0.1:1/", secret)
	for _, c := range clients {
		require.NoError(t, s.sim.SetStatus(first[c.name+"expired"].OK.State.SessionID, didit.StatusExpired))
	}
	time.Sleep(61 * time.Second) // both sides compare the clock of the machine with Didit's last answer
	for _, c := range clients {
		c.confirms(first)
	}
}

func (c *clientTest) confirms(first map[string]reply) {
	fresh := c.start(kyc.Input{UserID: c.name + "expired"})
	assert.NotEqual(c.t, first[c.name+"expired"].OK.Session.URL, fresh.OK.Session.URL, "a fresh link")

	again := c.start(kyc.Input{UserID: c.name + "fine"})
	assert.Equal(c.t, first[c.name+"fine"].OK.Session.URL, again.OK.Session.URL)
	state, err := c.State(c.within(), c.name+"fine")
	require.NoError(c.t, err)
	assert.WithinDuration(c.t, time.Now(), state.CheckedAt, 30*time.Second, "Didit was asked")

	c.sim.FailNext("GET", "/v3/session/", diditsim.Fault{Kind: diditsim.Slow, Delay: time.Minute, VendorData: c.name + "slow"})
	began := time.Now()
	late := c.start(kyc.Input{UserID: c.name + "slow"})
	assert.Equal(c.t, first[c.name+"slow"].OK.Session.URL, late.OK.Session.URL)
	assert.Less(c.t, time.Since(began), 20*time.Second, "a caller does not wait long for Didit")
}
