package testbed

import (
	"time"

	"didit-temporal/didit/diditsim"
)

// Simulator is a Didit that a program of others calls.
type Simulator struct {
	Sim  *diditsim.Server
	URL  string
	Key  string
	Flow string

	log  *callLog
	stop func()
}

// NewSimulator starts it; every answer takes the latency.
func NewSimulator(pace Pace, latency time.Duration) (*Simulator, error) {
	a := &Simulator{Key: key("alone"), Flow: Flow}
	a.Sim = diditsim.New(diditsim.Options{APIKey: a.Key, WorkflowIDs: []string{Flow}, Limits: pace.limits()})
	a.log = &callLog{next: a.Sim, latency: latency}
	var err error
	a.URL, a.stop, err = serve(a.log)
	return a, err
}

// Close stops it.
func (a *Simulator) Close() {
	a.Sim.Close()
	a.stop()
}

// Sent are the writes that it has got so far.
func (a *Simulator) Sent() Calls { return a.log.sorted(false) }
