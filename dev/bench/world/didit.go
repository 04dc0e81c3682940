package world

import (
	"time"

	"didit-temporal/didit/diditsim"
)

// Alone is a Didit that somebody else's program calls.
type Alone struct {
	Sim  *diditsim.Server
	URL  string
	Key  string
	Flow string

	ear  *ear
	stop func()
}

// NewAlone starts it; every answer takes the latency.
func NewAlone(pace Pace, latency time.Duration) (*Alone, error) {
	a := &Alone{Key: key("alone"), Flow: flow}
	a.Sim = diditsim.New(diditsim.Options{APIKey: a.Key, WorkflowIDs: []string{flow}, Limits: pace.limits()})
	a.ear = &ear{next: a.Sim, latency: latency}
	var err error
	a.URL, a.stop, err = serve(a.ear.of("program"))
	return a, err
}

// Close stops it.
func (a *Alone) Close() {
	a.Sim.Close()
	a.stop()
}

// Calls is what it has heard so far.
func (a *Alone) Calls() Calls { return a.ear.heard() }
