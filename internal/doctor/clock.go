package doctor

import (
	"cmp"
	"fmt"
	"time"

	"didit-temporal/internal/config"
)

const (
	// smallSkew is more than a network and a synchronized clock can explain.
	smallSkew = 30 * time.Second

	keepTime = "synchronize the clock (chrony or systemd-timesyncd): beyond DIDIT_WEBHOOK_TOLERANCE every webhook is refused"
)

// clock checks how far our clock is ahead of another; negative is behind.
func (e *checker) clock(check, whose string, ahead time.Duration) {
	tolerance := cmp.Or(e.hook.Tolerance, defaultTolerance())
	found := fmt.Sprintf("%s ahead of %s", ahead.Round(time.Second), whose)
	if ahead < 0 {
		found = fmt.Sprintf("%s behind %s", (-ahead).Round(time.Second), whose)
	}
	switch off := ahead.Abs(); {
	case off > tolerance:
		e.fail(check, "this machine is "+found, keepTime)
	case off > smallSkew:
		e.warn(check, "this machine is "+found, keepTime)
	default:
		e.ok(check, fmt.Sprintf("within %s of %s", smallSkew, whose))
	}
}

// clockOfTemporal knows only the time of the last poll of a worker: it is before now, and, where workers poll, not long before.
func (e *checker) clockOfTemporal(newest time.Time, noPoller bool) {
	switch ahead := e.Now().Sub(newest); {
	case newest.IsZero():
		e.skip("Temporal shows its time only where a worker polls", checkClockThere)
	case ahead < -smallSkew:
		e.clock(checkClockThere, "Temporal's", ahead)
	case noPoller:
		e.skip("the newest poll is old: no worker polls, or this machine is ahead; compare with Didit's clock", checkClockThere)
	default:
		e.ok(checkClockThere, "not behind Temporal's")
	}
}

func defaultTolerance() time.Duration {
	d, _ := time.ParseDuration(config.Default("DIDIT_WEBHOOK_TOLERANCE")) // a test of config reads it
	return d
}
