package main

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"didit-temporal/didit/diditsim"
)

// limitsHelp describes what limits reads.
const limitsHelp = "`calls` that each key may make a minute: reads=600,writes=300,creates=600 are Didit's, and the " +
	"defaults; none instead of a number, or of everything, lifts the limit"

// limits reads "writes=100,reads=none" and the like.
func limits(s string) (diditsim.Limits, error) {
	var l diditsim.Limits
	if s == "none" {
		return diditsim.Unlimited, nil
	}
	if s == "" {
		return l, nil
	}
	fields := map[string]*int{"reads": &l.Reads, "writes": &l.Writes, "creates": &l.Creates}
	for item := range strings.SplitSeq(s, ",") {
		name, number, _ := strings.Cut(strings.TrimSpace(item), "=")
		field, known := fields[name]
		n, err := strconv.Atoi(number)
		if number == "none" {
			n, err = -1, nil
		} else if n < 1 {
			known = false
		}
		if !known || err != nil {
			return l, fmt.Errorf("-limits %q: want such as reads=600,writes=300,creates=none, or none", s)
		}
		*field = n
	}
	return l, nil
}

// report logs how close each key came to its limits. It shows no key.
func report(log *slog.Logger, usage []diditsim.ScopeUsage) {
	for _, u := range usage {
		log.Info("worst minute", "key", u.Key, "scope", u.Scope, "limit", u.Limit, "sent", u.Worst, "accepted", u.WorstAccepted,
			"at", u.WorstAt, "calls", u.Calls, "refused", u.Refused)
	}
}
