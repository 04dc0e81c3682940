package workflows_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"didit-temporal/didit"
	"didit-temporal/kyc"
	"didit-temporal/workflows"
)

// op is one thing that happens in a user's life.
type op struct {
	kind  string
	which int // of the user's sessions, or of the moves that Didit allows
	to    int
	pause time.Duration
}

func (o op) String() string { return fmt.Sprintf("%s(%d,%d)+%s", o.kind, o.which, o.to, o.pause) }

var kinds = []string{
	"start", "start", "start", "reverify", "other flow", "other flow reverify", "move", "move", "move", "move", "move", "move", "move",
	"move", "lost", "late", "twice", "decide", "cancel", "terminate", "forget", "down", "lose create", "lag",
}

func randomLife(seed uint64) []op {
	r := rand.New(rand.NewPCG(seed, 1))
	pauses := []time.Duration{0, time.Second, 10 * time.Second, 3 * time.Minute, time.Hour, 30 * time.Hour}
	life := []op{{kind: "start"}}
	for range 3 + r.IntN(14) {
		life = append(life, op{kinds[r.IntN(len(kinds))], r.IntN(4), r.IntN(8), pauses[r.IntN(len(pauses))]})
	}
	return life
}

// oracle is the session of a flow that counts: the newest, unless an older one that no reverify has replaced outranks it.
func oracle(sessions []*fakeSession, flow string) (counts *fakeSession) {
	settled := func(s *fakeSession) bool {
		return slices.Contains([]didit.Status{didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview}, s.status)
	}
	for _, s := range slices.Backward(sessions) {
		switch {
		case s.meta().Deployment != deployment, s.flow != flow:
			continue
		case counts == nil:
			counts = s
		case settled(counts):
			return counts
		case unfinished(counts.status) && s.status == didit.StatusApproved, !unfinished(counts.status) && (settled(s) || unfinished(s.status)):
			counts = s
		}
		if s.meta().Reverify {
			return counts
		}
	}
	return counts
}

// try lives a life and returns what was wrong; empty if nothing was.
func try(tb testing.TB, ops []op) string {
	tb.Helper()
	l := newLife(tb)
	l.didit.bought = l.checkPurchase
	for _, o := range ops {
		l.then(o.pause, func() { l.happens(o) })
	}
	l.then(time.Hour, func() { l.START(kyc.Input{}) })
	l.live()
	return l.judge()
}

// checkPurchase is the rule that nobody is paid for twice.
func (l *life) checkPurchase(made *fakeSession, before []*fakeSession) {
	if made.meta().Reverify {
		return
	}
	for _, s := range slices.Backward(before) {
		if s.flow != made.flow || s.meta().Deployment != deployment {
			continue
		}
		if unfinished(s.status) || slices.Contains([]didit.Status{didit.StatusInReview, didit.StatusApproved, didit.StatusDeclined}, s.status) {
			l.problem = fmt.Sprintf("session %s was bought beside %s, which is %s", made.id, s.id, s.status)
		}
		if s.meta().Reverify {
			return
		}
	}
}

func (l *life) happens(o op) {
	switch o.kind {
	case "start":
		l.START(kyc.Input{})
	case "reverify":
		l.START(kyc.Input{Reverify: true})
	case "other flow":
		l.START(kyc.Input{WorkflowID: otherFlow})
	case "other flow reverify":
		l.START(kyc.Input{WorkflowID: otherFlow, Reverify: true})
	case "cancel":
		if l.env != nil && l.state().Outcome == "" {
			l.env.UpdateWorkflow(kyc.UpdateCancel, "", &answer{}, kyc.Operator{Actor: "op", Reason: "test:1"})
		}
	case "terminate":
		l.terminate()
	case "forget": // deleted by hand, or the retention has passed
		l.terminate()
		l.past, l.results = nil, nil
	case "down": // not longer: the test environment, unlike the server, gives up after ten tries
		l.downUntil = l.clock().Add(5 * time.Minute)
	case "lose create":
		lost := false
		l.didit.fault = func(call string) error {
			if call == "created" && !lost {
				lost = true
				return errLost
			}
			return nil
		}
	default:
		l.move(o)
	}
}

// move changes the status of one of the user's sessions.
func (l *life) move(o op) {
	all := l.didit.live()
	if len(all) == 0 {
		return
	}
	s := all[max(0, len(all)-1-o.which/2)]
	allowed := workflows.Moves[s.status]
	if o.kind == "decide" {
		allowed = []didit.Status{didit.StatusApproved, didit.StatusDeclined, didit.StatusResubmitted}
		if s.status == didit.StatusExpired || s.status == didit.StatusNotStarted {
			return
		}
	}
	if len(allowed) == 0 {
		return
	}
	to, before := allowed[o.to%len(allowed)], s.status
	switch now := l.state(); {
	case o.kind == "lost" && l.env != nil && now.SessionID == s.id && now.Outcome == "": // what no run polls is not lost for good
		l.moves(s, to, true)
	case o.kind == "late":
		l.moves(s, to, true)
		ev := l.event(s, to)
		at := min(max(len(l.todo)-2, 0), o.which) // before the rest
		l.todo = slices.Insert(l.todo, at, func() { l.webhook(ev) })
		l.pauses = slices.Insert(l.pauses, at, time.Second)
	case o.kind == "decide":
		s.status = to
		ev := l.event(s, to)
		ev.CreatedAt = 0
		l.webhook(ev)
	case o.kind == "lag":
		until := l.clock().Add(30 * time.Second)
		l.didit.shown = func(x *fakeSession) didit.Status {
			if x == s && l.clock().Before(until) {
				return before
			}
			return x.status
		}
		l.moves(s, to, false)
	default:
		if o.kind == "twice" {
			ev := l.event(s, to)
			l.todo = slices.Insert(l.todo, 0, func() { l.webhook(ev) })
			l.pauses = slices.Insert(l.pauses, 0, time.Second)
		}
		l.moves(s, to, false)
	}
}

// judge compares the user's state at rest with Didit, and with what was reported.
func (l *life) judge() string {
	s, truth := l.state(), oracle(l.didit.live(), l.state().WorkflowID)
	switch {
	case l.problem != "":
		return l.problem
	case truth == nil, l.didit.reissued:
		return ""
	case s.SessionID != truth.id || s.Status != truth.status:
		if s.Outcome == kyc.OutcomeCancelled && truth.status != didit.StatusApproved && truth.status != didit.StatusDeclined {
			return "" // an operator's word, until Didit has a verdict
		}
		return fmt.Sprintf("the user is %s by %s, and Didit says %s by %s", s.Status, s.SessionID, truth.status, truth.id)
	}
	slices.SortStableFunc(l.results, func(a, b kyc.Result) int { return a.Data.UpdatedAt.Compare(b.Data.UpdatedAt) })
	var last kyc.State
	for _, r := range l.results {
		if r.Data.SameAs(last) {
			return fmt.Sprintf("reported twice: %s %s %q", r.Type, r.Data.Status, r.Data.Outcome)
		}
		if last = r.Data; r.Type == kyc.ResultInReview && r.Data.Status != didit.StatusInReview {
			return fmt.Sprintf("%s reports %s", r.Type, r.Data.Status)
		}
	}
	if told := s.Outcome != "" || s.Status == didit.StatusInReview; told && !last.SameAs(s) || last.SessionID == s.SessionID && last.Outcome != "" && !last.SameAs(s) {
		return fmt.Sprintf("the newest result says %s %q, and the user is %s %q; reported %s", last.Status, last.Outcome, s.Status, s.Outcome, l.reported())
	}
	return ""
}

func (l *life) reported() (all []string) {
	for _, r := range l.results {
		all = append(all, fmt.Sprintf("%s %s %q", r.Type, r.Data.Status, r.Data.Outcome))
	}
	return all
}

// shrink finds a shorter life that goes wrong.
func shrink(tb testing.TB, ops []op) []op {
	tb.Helper()
	for i := 0; i < len(ops); {
		if shorter := slices.Delete(slices.Clone(ops), i, i+1); try(tb, shorter) != "" {
			ops, i = shorter, 0
		} else {
			i++
		}
	}
	return ops
}

func TestRandomLives(t *testing.T) {
	first, last := workflows.Seeds(300)
	for seed := first; seed <= last; seed++ {
		ops := randomLife(seed)
		began := time.Now()
		wrong := try(t, ops)
		if time.Since(began) > 5*time.Second {
			t.Logf("SLOW %d %v", seed, ops)
		}
		if wrong == "" {
			continue
		}
		ops = shrink(t, ops)
		var b strings.Builder
		for _, o := range ops {
			fmt.Fprintf(&b, "\n  %s", o)
		}
		t.Fatalf("seed %d: %s, after%s", seed, try(t, ops), b.String())
	}
}
