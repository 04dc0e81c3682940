package workflows_test

import (
	"encoding/json"
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
	"move", "end", "end", "lost", "late", "twice", "decide", "cancel", "terminate", "stop", "forget", "like", "foreign", "foreign", "down", "undelivered", "lose create", "lag",
}

// foreignMetadata is what other programs on the same Didit application write.
var foreignMetadata = []string{
	`{"kyc_deployment":"there","temporal_run_id":"8d7bd8a6-3c4e-4b7c-9a34-0d9c5fd1a0b1","attempt":1}`,
	`{"temporal_run_id":"8d7bd8a6-3c4e-4b7c-9a34-0d9c5fd1a0b1"}`, `"{\"kyc_deployment\":\"there\"}"`, `null`,
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

// try lives a life and returns what was wrong; empty if nothing was.
func try(tb testing.TB, ops []op) string {
	tb.Helper()
	l := newLife(tb)
	l.didit.bought, l.didit.removed = l.checkPurchase, l.checkRemoval
	for i, o := range ops {
		if i > 0 && ops[i-1].kind == "stop" { // a run that is terminated in the moment of a callback could not note it
			o.pause = max(o.pause, time.Second)
		}
		l.then(o.pause, func() { l.happens(o) })
	}
	l.then(rest, l.judgeUntouched)
	l.then(time.Hour, func() { l.asks(kyc.Input{}) })
	l.live()
	return l.judge()
}

func (l *life) happens(o op) {
	switch o.kind {
	case "start":
		l.asks(kyc.Input{})
	case "reverify":
		l.asks(kyc.Input{Reverify: true})
	case "other flow":
		l.asks(kyc.Input{WorkflowID: otherFlow})
	case "other flow reverify":
		l.asks(kyc.Input{WorkflowID: otherFlow, Reverify: true})
	case "cancel":
		if l.env != nil && l.state().Outcome == "" {
			l.env.UpdateWorkflow(kyc.UpdateCancel, "", &answer{}, kyc.Operator{Actor: "op", Reason: "test:1"})
		}
	case "terminate":
		l.terminate()
	case "stop": // Temporal's own button Cancel
		if l.env != nil {
			l.stopped = true
			l.env.CancelWorkflow()
		}
	case "like": // its button Start Workflow Like This One
		if l.env == nil && len(l.past) > 0 {
			l.carried, l.flow = l.list, ""
			l.run(l.input, nil)
		}
	case "foreign":
		l.intrude([]string{flow, otherFlow}[o.which%2], foreignMetadata[o.to%len(foreignMetadata)])
	case "forget": // deleted by hand, or the retention has passed
		l.terminate()
		l.past, l.results, l.flow = nil, nil, ""
	case "down": // not longer: the test environment, unlike the server, gives up after ten tries
		if l.clock().After(l.downUntil.Add(10 * time.Minute)) {
			l.downUntil = l.clock().Add(5 * time.Minute)
		}
	case "undelivered": // terminated while a callback is tried again
		l.happens(op{kind: "down"})
		l.todo, l.pauses = slices.Insert(l.todo, 0, l.terminate), slices.Insert(l.pauses, 0, 10*time.Second)
		l.move(o)
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

// intrude lets another program on the same Didit application ask for a session of the user.
func (l *life) intrude(flow, metadata string) {
	before := map[*fakeSession]bool{} // was it made beside a verdict?
	for _, s := range l.didit.live() {
		before[s] = s.meta().Reverify
	}
	s, made := l.didit.sessionFor(flow, user, json.RawMessage(metadata))
	s.foreign = s.foreign || made
	l.didit.blurred = l.didit.blurred || before[s]
}

// withoutVerdict lists how sessions end that the person does not finish.
var withoutVerdict = map[didit.Status][]didit.Status{
	didit.StatusNotStarted:  {didit.StatusExpired},
	didit.StatusInProgress:  {didit.StatusAbandoned},
	didit.StatusResubmitted: {didit.StatusAbandoned},
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
	if o.kind == "end" {
		allowed = withoutVerdict[s.status]
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
		at := min(max(len(l.todo)-3, 0), o.which) // before the user is judged
		l.todo = slices.Insert(l.todo, at, func() { l.webhook(ev) })
		l.pauses = slices.Insert(l.pauses, at, time.Second)
	case o.kind == "decide":
		l.didit.becomes(s, to)
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
