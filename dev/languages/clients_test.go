package languages

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

// keysets are what PAYLOAD_KEYS is for our processes: nothing, or two keys in the middle of a rotation.
func keysets(t *testing.T) map[string]string {
	t.Helper()
	fresh, err := codec.Generate("fresh")
	require.NoError(t, err)
	old, err := codec.Generate("old")
	require.NoError(t, err)
	return map[string]string{"plain": "", "encrypted": fresh + "," + old}
}

// Every language and Go's own client mean the same by the contract, with encryption on and off.
func TestClientsOfEachLanguage(t *testing.T) {
	for kind, keys := range keysets(t) {
		t.Run(kind, func(t *testing.T) {
			needsLanguages(t)
			s := start(t, keys, "")
			for _, l := range all {
				t.Run(l.name, func(t *testing.T) {
					c := &clientTest{system: s.of(t), name: l.name}
					c.driver = c.drive(l.tools(t))
					for name, test := range scenarios {
						c.sub(t, name, test)
					}
				})
			}
		})
	}
}

// clientTest is a driver against a system; name keeps the users of languages apart.
type clientTest struct {
	*system
	*driver
	t    *testing.T
	name string
}

// of is the system for a test inside of the one that started it.
func (s *system) of(t *testing.T) *system {
	t.Helper()
	inner := *s
	inner.t = t
	return &inner
}

func (c *clientTest) sub(t *testing.T, name string, test func(*clientTest, string)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		inner := *c
		inner.t, inner.system = t, c.of(t)
		test(&inner, c.name+"-"+name)
	})
}

var scenarios = map[string]func(c *clientTest, user string){
	"eight-at-once":     (*clientTest).eightAtOnce,
	"with-go":           (*clientTest).sharesWithGo,
	"verdict":           (*clientTest).toTheVerdict,
	"review":            (*clientTest).inReview,
	"expired":           (*clientTest).expired,
	"of-another-flow":   (*clientTest).ofAnotherFlow,
	"cancelled":         (*clientTest).cancelled,
	"terminated":        (*clientTest).terminated,
	"refused-by-didit":  (*clientTest).refusedByDidit,
	"foreign-event":     (*clientTest).foreignEvent,
	"nobody-and-nobody": (*clientTest).unknownAndInvalid,
}

func (c *clientTest) eightAtOnce(user string) {
	var replies []<-chan reply
	for range 8 {
		replies = append(replies, c.send(order{Do: "start", Input: &kyc.Input{UserID: user}}))
	}
	first := <-replies[0]
	require.Empty(c.t, first.Error, first.Message)
	require.NotNil(c.t, first.OK.Session)
	assert.Equal(c.t, string(didit.StatusNotStarted), first.OK.State.Status)
	for _, other := range replies[1:] {
		assert.Equal(c.t, first.OK, (<-other).OK)
	}
	assert.Len(c.t, c.sim.SessionsOf(user), 1)
}

func (c *clientTest) sharesWithGo(user string) {
	begun, err := c.Start(c.within(), kyc.Input{UserID: user, Language: "en"})
	require.NoError(c.t, err)
	joined := c.start(kyc.Input{UserID: user})
	assert.Equal(c.t, begun.Session.URL, joined.OK.Session.URL)
	c.start(kyc.Input{UserID: user + "-2"})
	again, err := c.Start(c.within(), kyc.Input{UserID: user + "-2"})
	require.NoError(c.t, err)
	assert.False(c.t, again.New)
	assert.Len(c.t, c.sim.SessionsOf(user+"-2"), 1)
}

func (c *clientTest) toTheVerdict(user string) {
	begun := c.start(kyc.Input{UserID: user, ReturnURL: "https://shop.example/welcome"})
	verdict := c.send(order{Do: "wait", UserID: user})
	c.moves(user, didit.StatusApproved)
	got := <-verdict
	require.Empty(c.t, got.Error, got.Message)
	assert.Equal(c.t, kyc.OutcomeApproved, got.OK.State.Outcome)
	assert.NotEmpty(c.t, got.OK.State.Checks)
	again := c.start(kyc.Input{UserID: user})
	assert.Nil(c.t, again.OK.Session, "a decided user gets the verdict")
	assert.Equal(c.t, kyc.OutcomeApproved, again.OK.State.Outcome)
	c.closed(user)
	fresh := c.start(kyc.Input{UserID: user, Reverify: true})
	require.NotNil(c.t, fresh.OK.Session)
	assert.NotEqual(c.t, begun.OK.Session.URL, fresh.OK.Session.URL)
	assert.Len(c.t, c.sim.SessionsOf(user), 2)
}

func (c *clientTest) inReview(user string) {
	c.start(kyc.Input{UserID: user})
	c.moves(user, didit.StatusInReview)
	got := c.start(kyc.Input{UserID: user})
	assert.Equal(c.t, string(didit.StatusInReview), got.OK.State.Status)
	assert.Nil(c.t, got.OK.Session, "the person has nothing to do")
}

func (c *clientTest) expired(user string) {
	first := c.start(kyc.Input{UserID: user})
	c.moves(user, didit.StatusExpired)
	c.closed(user)
	second := c.start(kyc.Input{UserID: user})
	require.NotNil(c.t, second.OK.Session)
	assert.NotEqual(c.t, first.OK.Session.URL, second.OK.Session.URL)
	third := c.start(kyc.Input{UserID: user})
	assert.Equal(c.t, second.OK.Session.URL, third.OK.Session.URL)
}

func (c *clientTest) cancelled(user string) {
	c.start(kyc.Input{UserID: user})
	got := c.do(order{Do: "cancel", UserID: user})
	require.Empty(c.t, got.Error, got.Message)
	assert.Equal(c.t, kyc.OutcomeCancelled, got.OK.State.Outcome)
	c.closed(user)
	again := c.do(order{Do: "cancel", UserID: user})
	assert.Equal(c.t, got.OK, again.OK, "a repeat gets the same answer")

	decided := user + "-decided"
	c.start(kyc.Input{UserID: decided})
	c.moves(decided, didit.StatusApproved)
	c.closed(decided)
	refused := c.do(order{Do: "cancel", UserID: decided})
	assert.Equal(c.t, "RefusedError", refused.Error)
	assert.Equal(c.t, kyc.ErrorTypeRefused, refused.Type)
}

func (c *clientTest) terminated(user string) {
	c.start(kyc.Input{UserID: user})
	require.NoError(c.t, c.Temporal().TerminateWorkflow(c.within(), kyc.WorkflowID(user), "", "by hand"))
	assert.Equal(c.t, "EndedError", c.driver.state(user).Error)
	assert.Equal(c.t, "EndedError", c.do(order{Do: "wait", UserID: user}).Error)
	require.NotNil(c.t, c.start(kyc.Input{UserID: user}).OK.Session)
	assert.Empty(c.t, c.driver.state(user).Error)
}

func (c *clientTest) refusedByDidit(user string) {
	c.sim.FailNext("POST", "/v3/session/", diditsim.Fault{Status: 401, Times: 1})
	got := c.do(order{Do: "start", Input: &kyc.Input{UserID: user}})
	assert.Equal(c.t, "SessionError", got.Error)
	assert.Equal(c.t, kyc.ErrorTypeUnauthorized, got.Type)
	require.NotNil(c.t, c.start(kyc.Input{UserID: user}).OK.Session, "the next start tries again")
}

// foreignEvent leaves a run that ended without a state.
func (c *clientTest) foreignEvent(user string) {
	event := kyc.DiditEvent{
		EventID: uuid.NewString(), Type: didit.EventStatusUpdated, SessionID: uuid.NewString(), Status: didit.StatusApproved, CreatedAt: time.Now().Unix(),
	}
	_, err := c.Deliver(c.within(), user, event, kyc.Origin{Ours: true})
	require.NoError(c.t, err)
	c.closed(user)
	assert.Equal(c.t, "NotFoundError", c.driver.state(user).Error)
	assert.Equal(c.t, "NotFoundError", c.do(order{Do: "wait", UserID: user}).Error)
	require.NotNil(c.t, c.start(kyc.Input{UserID: user}).OK.Session)
}

func (c *clientTest) unknownAndInvalid(user string) {
	assert.Equal(c.t, "NotFoundError", c.driver.state(user).Error)
	assert.Equal(c.t, "NotFoundError", c.do(order{Do: "wait", UserID: user}).Error)
	assert.Equal(c.t, "NotFoundError", c.do(order{Do: "cancel", UserID: user}).Error)
	assert.Equal(c.t, "InvalidInputError", c.driver.state("anna@shop.example").Error)
	assert.Equal(c.t, "InvalidInputError", c.driver.state(user+"~erase-1").Error)
}
