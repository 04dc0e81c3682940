package soak

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/skip"
)

// The bounds of what the process may grow by in a minute once it has settled.
const (
	mostMemory     = 1.0 // MB
	mostGoroutines = 1.0
	mostRSS        = 128.0 // MB, at any time
)

func TestTheWebhookDoesNotGrow(t *testing.T) {
	skip.Long(t)
	w := start(t, *users)
	l := newLoad(w)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	type seen struct {
		samples []sample
		err     error
	}
	watched := make(chan seen, 1)
	go func() {
		s, err := watch(ctx, w.webhook.PID(), w.metricsURL, *every)
		watched <- seen{s, err}
	}()
	l.run(t.Context())
	stop()
	during := <-watched
	require.NoError(t, during.err, "the process was gone")
	after, err := look(w.webhook.PID(), w.metricsURL)
	require.NoError(t, err)

	settled := slices.DeleteFunc(slices.Clone(during.samples), func(s sample) bool { return s.at < time.Duration(*settle*float64(*length)) })
	t.Log(report(l, during.samples, settled, after))
	assert.Empty(t, l.wrong, "%d answers are not right", l.wrongs)
	assert.NotZero(t, l.sent["genuine"])
	assert.NotZero(t, l.sent["forged"])
	l.requireAll(t)
	if *strict {
		assert.Empty(t, l.turned, "genuine ones that were answered 503")
		assert.Less(t, most(during.samples, rss), mostRSS, "MB that the process had at most")
		assert.Less(t, slope(settled, rss), mostMemory, "MB that memory grows by in a minute")
		assert.Less(t, slope(settled, routines), mostGoroutines, "goroutines grow")
		assert.Less(t, slope(settled, threads), mostGoroutines, "threads grow")
	}
}

// requireAll finds every event that was answered 200 in the history of its person, once, and none that is hostile. An
// event that was answered 503 may be there too.
func (l *load) requireAll(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	twice, hostile := 0, 0
	var lost []string
	for i, p := range l.w.people {
		times, missing := l.eventually(ctx, t, i)
		for _, id := range missing {
			lost = append(lost, fmt.Sprintf("%s of %s, answered 503 as well: %t", id, p.id, l.unsure[i][id]))
		}
		for id, n := range times {
			if n > 1 {
				twice++
			}
			if !l.taken[i][id] && !l.unsure[i][id] {
				hostile++
			}
		}
	}
	assert.Empty(t, lost, "events that were answered 200 and are nowhere")
	assert.Zero(t, twice, "events that are there twice")
	assert.Zero(t, hostile, "events that are there and are hostile")
}

// eventually counts each event in a person's history, and names those that were answered 200 and are not there. While a
// worker decides about the signals before, the server keeps new ones aside, outside the history: so it looks again.
func (l *load) eventually(ctx context.Context, t *testing.T, person int) (times map[string]int, missing []string) {
	t.Helper()
	until := time.Now().Add(timeout)
	for {
		var err error
		times, err = l.w.signals(ctx, l.w.people[person])
		require.NoError(t, err)
		missing = nil
		for id := range l.taken[person] {
			if times[id] == 0 {
				missing = append(missing, id)
			}
		}
		if len(missing) == 0 || time.Now().After(until) {
			return times, missing
		}
		time.Sleep(time.Second) // a history that does not change cannot be waited for
	}
}

func report(l *load, all, settled []sample, after sample) string {
	var b strings.Builder
	row := func(what string, v any) { fmt.Fprintf(&b, "  %-44s %v\n", what, v) }
	total := 0
	for _, n := range l.sent {
		total += n
	}
	b.WriteString("\n")
	row("sent", fmt.Sprintf("%d in %v: %.1f a second, about %d verifications", total, *length, float64(total)/length.Seconds(), len(l.w.people)))
	for _, kind := range slices.Sorted(maps.Keys(l.sent)) {
		row("  "+kind, l.sent[kind])
	}
	for _, code := range slices.Sorted(maps.Keys(l.codes)) {
		row(fmt.Sprintf("answered %d", code), l.codes[code])
	}
	row("slowest answer to a genuine one", l.slowest.Round(time.Millisecond))
	for _, span := range spans(l.turned) {
		row("503s in one go", span)
	}
	first, last := all[0], all[len(all)-1]
	row("samples", len(all))
	row("memory (RSS), MB: first, last, most, after", fmt.Sprintf("%.1f, %.1f, %.1f, %.1f", first.rss, last.rss, most(all, rss), after.rss))
	row("goroutines: first, last, most, after", fmt.Sprintf("%.0f, %.0f, %.0f, %.0f", first.goroutines, last.goroutines, most(all, routines), after.goroutines))
	row("threads: first, last, most, after", fmt.Sprintf("%.0f, %.0f, %.0f, %.0f", first.threads, last.threads, most(all, threads), after.threads))
	row(fmt.Sprintf("growth a minute over the last %.0f s", length.Seconds()*(1-*settle)),
		fmt.Sprintf("memory %+.3f MB, goroutines %+.3f, threads %+.3f", slope(settled, rss), slope(settled, routines), slope(settled, threads)))
	return b.String()
}

func most(all []sample, value func(sample) float64) float64 {
	m := value(all[0])
	for _, s := range all {
		m = max(m, value(s))
	}
	return m
}
