package speed

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"didit-temporal/dev/procs"
)

// clockTick is the unit of /proc/PID/stat on Linux: 100 a second on every architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// usage is what a process has used.
type usage struct {
	cpu time.Duration
	rss int64 // bytes
}

// usageOf reads it from /proc; elsewhere than on Linux nothing is known.
func usageOf(pid int) (u usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name, which may have anything in it
	fields := strings.Fields(rest)
	if len(fields) < 22 {
		return u, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	var numbers [3]int64 // user time, system time, resident pages
	for i, at := range []int{11, 12, 21} {
		if numbers[i], err = strconv.ParseInt(fields[at], 10, 64); err != nil {
			return u, err
		}
	}
	return usage{cpu: time.Duration(numbers[0]+numbers[1]) * clockTick, rss: numbers[2] * int64(os.Getpagesize())}, nil
}

func programUsage(ctx context.Context, p *procs.Program) (usage, error) {
	r, err := p.Working(ctx)
	if err != nil {
		return usage{}, err
	}
	return usageOf(r.PID())
}
