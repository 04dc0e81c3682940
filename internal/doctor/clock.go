package doctor

import (
	"cmp"
	"fmt"
	"time"

	"didit-temporal/internal/config"
)

const (
	// smallSkew is more than a network and a clock that is kept right can explain.
	smallSkew = 30 * time.Second

	keepTime = "let the machine keep time (chrony or systemd-timesyncd): beyond DIDIT_WEBHOOK_TOLERANCE every webhook is refused"
)

// clock judges how far our clock is ahead of another; negative is behind.
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

// clockOfTemporal knows only when a worker has polled last: that is before now, and, where workers poll, not long before.
func (e *checker) clockOfTemporal(newest time.Time, nobody bool) {
	switch ahead := e.Now().Sub(newest); {
	case newest.IsZero():
		e.skip("Temporal tells its time only where a worker polls", checkClockThere)
	case ahead < -smallSkew:
		e.clock(checkClockThere, "Temporal's", ahead)
	case nobody:
		e.skip("the newest poll is old: either nobody polls, or this machine is ahead; the clock of Didit tells", checkClockThere)
	default:
		e.ok(checkClockThere, "not behind Temporal's")
	}
}

func defaultTolerance() time.Duration {
	d, _ := time.ParseDuration(config.Default("DIDIT_WEBHOOK_TOLERANCE")) // a test of config reads it
	return d
}
