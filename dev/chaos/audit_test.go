package chaos

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	historypb "go.temporal.io/api/history/v1"

	"didit-temporal/dev/audit"
	"didit-temporal/dev/procs"
)

// report is what an audit counted, and who was killed before it.
type report struct {
	*audit.Report
	killed, ended map[string]int
	took          time.Duration
}

// audit waits until everything has ended and compares what Didit knows with what Temporal knows.
func (c *chaos) audit(persons []person) *report {
	r := &report{killed: map[string]int{}, ended: map[string]int{}}
	for _, p := range []*procs.Program{c.webhook, c.worker} {
		r.killed[p.Name()], r.ended[p.Name()] = p.Counts()
	}
	r.killed[victimTemporal] = c.temporalKills()
	all := make([]audit.Person, len(persons))
	for i, p := range persons {
		all[i] = audit.Person{ID: p.id, Verdict: p.verdict}
	}
	r.Report = audit.Auditor{Client: c.Client, Sim: c.sim, Creates: &c.creates, Closed: c.noteClosed}.Run(c.within(c.limit()), all)
	return r
}

func (c *chaos) noteClosed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed++
}

// String is the table.
func (r *report) String() string {
	var t strings.Builder
	for _, victim := range []string{victimWebhook, victimWorker, victimTemporal} {
		fmt.Fprintf(&t, "  %-46s %d (and ended by itself %d times)\n", "kill -9 of "+victim, r.killed[victim], r.ended[victim])
	}
	return fmt.Sprintf("%s%s  %-46s %v\n", &t, r.Report, "took", r.took)
}

func (r *report) require(t *testing.T, users, kills int) {
	t.Helper()
	for _, victim := range []string{victimWebhook, victimWorker, victimTemporal} {
		assert.Equal(t, kills, r.killed[victim], "kills of %s", victim)
	}
	r.Require(t, users)
}

func (w *env) history(ctx context.Context, workflowID, runID string) ([]*historypb.HistoryEvent, error) {
	return audit.History(ctx, w.Temporal(), workflowID, runID)
}
