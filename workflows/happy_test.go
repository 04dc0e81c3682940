package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

func TestAHappyLife(t *testing.T) {
	l := newLife(t)
	var a *answer
	l.then(0, func() { a = l.START(kyc.Input{}) })
	l.then(time.Minute, func() { l.moves(l.didit.sessions[0], didit.StatusInProgress, false) })
	l.then(time.Minute, func() { assert.Equal(t, didit.StatusInProgress, l.state().Status) })
	l.then(time.Minute, func() { l.moves(l.didit.sessions[0], didit.StatusApproved, false) })
	l.live()
	assert.NotEmpty(t, a)
	assert.Equal(t, kyc.OutcomeApproved, l.state().Outcome)
	assert.Equal(t, 1, l.runs)
	assert.Len(t, l.results, 1)
	t.Logf("%+v", l.results)
}
