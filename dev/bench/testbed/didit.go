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

	callLog *callLog
	stop    func()
}

// NewSimulator starts it; every answer takes the latency.
func NewSimulator(pace Pace, latency time.Duration) (*Simulator, error) {
	a := &Simulator{Key: key("alone"), Flow: flow}
	a.Sim = diditsim.New(diditsim.Options{APIKey: a.Key, WorkflowIDs: []string{flow}, Limits: pace.limits()})
	a.callLog = &callLog{next: a.Sim, latency: latency}
	var err error
	a.URL, a.stop, err = serve(a.callLog.from("program"))
	return a, err
}

// Close stops it.
func (a *Simulator) Close() {
	a.Sim.Close()
	a.stop()
}

// Calls is what it has got so far.
func (a *Simulator) Calls() Calls { return a.callLog.all() }
