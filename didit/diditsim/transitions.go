package diditsim

import (
	"errors"
	"fmt"
	"slices"

	"didit-temporal/didit"
)

// Errors of SetStatus.
var (
	ErrUnknownSession = errors.New("diditsim: no such session")
	ErrTransition     = errors.New("diditsim: Didit does not allow this change of status")
)

// transitions are the changes of a session's status (https://docs.didit.me/integration/verification-statuses, with those of
// a reviewer in https://docs.didit.me/sessions-api/update-status). Ongoing monitoring changes Approved to In Review.
// Expired is final.
var transitions = map[didit.Status][]didit.Status{
	didit.StatusNotStarted: {didit.StatusInProgress, didit.StatusExpired},
	didit.StatusInProgress: {
		didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusAbandoned, didit.StatusAwaitingUser,
	},
	didit.StatusAwaitingUser: {didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview},
	didit.StatusInReview:     {didit.StatusApproved, didit.StatusDeclined, didit.StatusResubmitted},
	didit.StatusApproved:     {didit.StatusKycExpired, didit.StatusDeclined, didit.StatusResubmitted, didit.StatusInReview},
	didit.StatusDeclined:     {didit.StatusApproved, didit.StatusResubmitted},
	didit.StatusResubmitted: {
		didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview, didit.StatusAwaitingUser,
	},
	didit.StatusAbandoned:  {didit.StatusApproved, didit.StatusDeclined, didit.StatusResubmitted},
	didit.StatusKycExpired: {didit.StatusApproved, didit.StatusDeclined, didit.StatusResubmitted},
}

func canMove(from, to didit.Status) bool { return slices.Contains(transitions[from], to) }

// SetStatus changes the status of a session as the user, a reviewer or time does, and sends the webhook. It refuses changes
// that Didit does not allow, one to the same status included: a session must be In Progress before it is Approved.
func (s *Server) SetStatus(id string, st didit.Status) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.byID[id]
	if !ok {
		return ErrUnknownSession
	}
	if !canMove(x.Status, st) {
		return fmt.Errorf("%w: %q to %q", ErrTransition, x.Status, st)
	}
	s.move(x, st, review{})
	return nil
}

// review is what a reviewer adds to a change of status.
type review struct {
	comment string
	nodes   []didit.Node // to repeat; empty chooses
}

// move needs s.mu and a change that canMove allows.
func (s *Server) move(x *session, to didit.Status, r review) {
	unfinished, aml := x.unfinished(), x.flow.step(featureAML)
	switch {
	case x.Status == didit.StatusApproved && aml != nil && to != didit.StatusKycExpired:
		x.failing = aml // monitoring changes approved sessions
	case x.Status != didit.StatusInReview:
		x.failing = x.flow.steps[0]
	}
	x.resubmit = nil
	if to == didit.StatusResubmitted {
		x.resubmit = r.nodes
		if len(x.resubmit) == 0 {
			x.resubmit = unfinished
		}
		if len(x.resubmit) == 0 { // all steps are approved: repeat one all the same
			x.resubmit = []didit.Node{x.failing.node()}
		}
	}
	x.Status, x.UpdatedAt = to, s.opts.Now()
	s.announce(x, didit.EventStatusUpdated, r.comment)
}
