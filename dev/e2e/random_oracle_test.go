package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
)

// truth is the session of a flow that counts: the newest, unless an older one that no reverify has replaced outranks it.
func (p *resident) truth(flow string) (counts *diditsim.Session) {
	all := p.sim.SessionsOf(p.user)
	for i := len(all) - 1; i >= 0; i-- {
		s := &all[i]
		switch meta := kyc.MetadataOf(s.Metadata); {
		case meta.Deployment != p.Namespace(), s.WorkflowID != flow:
			continue
		case counts == nil:
			counts = s
		case settled(counts.Status):
			return counts
		case unfinished(counts.Status) && s.Status == didit.StatusApproved, !unfinished(counts.Status) && (settled(s.Status) || unfinished(s.Status)):
			counts = s
		}
		if kyc.MetadataOf(s.Metadata).Reverify {
			return counts
		}
	}
	return counts
}

// shown is empty if Find shows what Didit says, or cannot.
func (p *resident) shown(ctx context.Context) string {
	found, err := p.Find(ctx, p.user)
	if err != nil {
		return ""
	}
	return p.differs(found.State)
}

func (p *resident) differs(s kyc.State) string {
	truth := p.truth(s.WorkflowID)
	switch {
	case p.wasReissued():
		return ""
	case truth == nil:
		return fmt.Sprintf("the user is %s by %s, and Didit has no session that counts", s.Status, s.SessionID)
	case s.SessionID == truth.ID && s.Status == truth.Status, s.Outcome == kyc.OutcomeCancelled && !didVerdict(truth.Status):
		return "" // a cancellation is an operator's word, until Didit has a verdict
	}
	return fmt.Sprintf("the user is %s %q by %s, and Didit says %s by %s", s.Status, s.Outcome, s.SessionID, truth.Status, truth.ID)
}

func didVerdict(s didit.Status) bool { return s == didit.StatusApproved || s == didit.StatusDeclined }

func (p *resident) wasReissued() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reissued[p.user]
}

// judge compares what Find, START, Wait, the callbacks and Didit say of the user at rest.
func (p *resident) judge(ctx context.Context) string {
	found, err := p.Find(ctx, p.user)
	if err != nil {
		return "Find: " + err.Error()
	}
	for _, wrong := range []string{p.differs(found.State), p.bought(), p.reported(found.State)} {
		if wrong != "" {
			return wrong
		}
	}
	started, err := p.Start(ctx, kyc.Input{UserID: p.user})
	if err != nil {
		return "START: " + err.Error()
	}
	if !started.State.SameAs(found.State) {
		return fmt.Sprintf("START says %+v, and Find %+v", started.State, found.State)
	}
	if found.State.Outcome == "" {
		return ""
	}
	waited, err := p.Wait(ctx, p.user)
	if err != nil || !waited.SameAs(found.State) {
		return fmt.Sprintf("Wait says %+v, %v, and Find %+v", waited, err, found.State)
	}
	return ""
}

// bought is the rule that no user is paid for twice.
func (p *resident) bought() string {
	p.look()
	p.mu.Lock()
	events := slices.Clone(p.events[p.user])
	p.mu.Unlock()
	status, order := map[string]didit.Status{}, []string{}
	for _, e := range events {
		if e.N == 1 {
			if old := p.beside(p.known[e.SessionID], order, status); old != "" {
				return fmt.Sprintf("session %s was bought beside %s, which was %s", e.SessionID, old, status[old])
			}
			order = append(order, e.SessionID)
		}
		status[e.SessionID] = e.Status
	}
	return ""
}

// beside finds the older session that a new one should not have been bought beside.
func (p *resident) beside(made diditsim.Session, older []string, status map[string]didit.Status) string {
	if made.ID == "" || kyc.MetadataOf(made.Metadata).Reverify {
		return ""
	}
	for _, id := range slices.Backward(older) {
		s, at := p.known[id], status[id]
		_, there := p.sim.Session(id)
		if there && s.WorkflowID == made.WorkflowID && (unfinished(at) || settled(at)) {
			return id
		}
		if s.WorkflowID == made.WorkflowID && kyc.MetadataOf(s.Metadata).Reverify {
			return ""
		}
	}
	return ""
}

// reported compares what was reported with how the user stands.
func (p *resident) reported(s kyc.State) string {
	results := p.inbox.results(p.user)
	slices.SortStableFunc(results, func(a, b kyc.Result) int { return a.Data.UpdatedAt.Compare(b.Data.UpdatedAt) })
	var last kyc.State
	var all []string
	again := 0
	for _, r := range results {
		all = append(all, fmt.Sprintf("%s %s %q %d of %.8s at %s", r.Type, r.Data.Status, r.Data.Outcome, r.Data.Attempt, r.Data.SessionID, r.Timestamp.Format("05.000")))
		if r.Data.SameAs(last) {
			again++
		}
		last = r.Data
	}
	told := s.Outcome != "" || s.Status == didit.StatusInReview
	switch {
	case again > p.forgets: // Temporal does not know what a run that was deleted, or cut off by a reset, has reported
		return fmt.Sprintf("reported twice in a row: %s", strings.Join(all, ", "))
	case told && !last.SameAs(s), last.SessionID == s.SessionID && last.Outcome != "" && !last.SameAs(s):
		return fmt.Sprintf("the user is %s %q %d, reported was %s", s.Status, s.Outcome, s.Attempt, strings.Join(all, ", "))
	}
	return ""
}

func unfinished(s didit.Status) bool {
	return slices.Contains([]didit.Status{didit.StatusNotStarted, didit.StatusInProgress, didit.StatusResubmitted, didit.StatusAwaitingUser}, s)
}

func settled(s didit.Status) bool {
	return slices.Contains([]didit.Status{didit.StatusApproved, didit.StatusDeclined, didit.StatusInReview}, s)
}
