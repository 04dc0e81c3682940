package soak

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// load is what is sent, and what came back.
type load struct {
	w      *env
	client *http.Client
	r      *rand.Rand // of the one goroutine that decides what is sent

	last []string // the newest event of each person

	mu       sync.Mutex
	sent     map[string]int // by kind
	codes    map[int]int
	taken    []map[string]bool // events answered 200, by person
	unsure   []map[string]bool // events not answered 200: Temporal may have them all the same
	wrong    []string          // the first answers that are not right
	wrongs   int
	slowest  time.Duration
	began    time.Time
	turned   []turnedAway // genuine ones that were answered 503
	inFlight sync.WaitGroup
}

// turnedAway is an event that Temporal did not take in time.
type turnedAway struct{ at, took time.Duration }

func newLoad(w *env) *load {
	l := &load{
		w: w, r: rand.New(rand.NewPCG(*seed, 0)), last: make([]string, len(w.people)), sent: map[string]int{}, codes: map[int]int{},
		taken: make([]map[string]bool, len(w.people)), unsure: make([]map[string]bool, len(w.people)),
		client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
			MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second,
		}},
	}
	for i := range l.taken {
		l.taken[i], l.unsure[i] = map[string]bool{}, map[string]bool{}
	}
	return l
}

// run sends at the rate, whatever the answers, until the time is over, and returns when all are answered.
func (l *load) run(ctx context.Context) {
	l.began = time.Now()
	for n := 0; ; n++ {
		due := l.began.Add(time.Duration(n) * time.Second / time.Duration(*rate))
		if due.Sub(l.began) >= *length {
			break
		}
		time.Sleep(time.Until(due)) // the rate is the point
		d := l.next()
		l.inFlight.Go(func() { l.send(ctx, d) })
	}
	l.inFlight.Wait()
	l.client.CloseIdleConnections()
}

// next decides what is sent.
func (l *load) next() delivery {
	i, now := l.r.IntN(len(l.w.people)), time.Now()
	p := l.w.people[i]
	if l.r.Float64() < *hostile {
		d := hostiles[l.r.IntN(len(hostiles))](l.r, p, now)
		d.person = -1
		return d
	}
	kind, id := "genuine", uuid.NewString()
	if l.last[i] != "" && l.r.Float64() < *repeats {
		kind, id = "repeat", l.last[i]
	}
	l.last[i] = id
	body := genuine(p, id, now)
	return delivery{kind: kind, person: i, id: id, body: body, header: signed(body), want: []int{http.StatusOK}}
}

func (l *load) send(ctx context.Context, d delivery) {
	began := time.Now()
	code, err := l.post(ctx, d)
	took := time.Since(began)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent[d.kind]++
	l.codes[code]++
	if d.person >= 0 {
		l.slowest = max(l.slowest, took)
		if code == http.StatusOK {
			l.taken[d.person][d.id] = true
		} else {
			l.unsure[d.person][d.id] = true
		}
		if code == http.StatusServiceUnavailable {
			l.turned = append(l.turned, turnedAway{began.Sub(l.began), took})
		}
	}
	// Temporal may be slow on a busy machine: then Didit sends again, and nothing is lost.
	if slices.Contains(d.want, code) || d.person >= 0 && code == http.StatusServiceUnavailable {
		return
	}
	if l.wrongs++; l.wrongs <= 10 {
		l.wrong = append(l.wrong, fmt.Sprintf("%s: %d, want %v (%v)", d.kind, code, d.want, err))
	}
}

func (l *load) post(ctx context.Context, d delivery) (int, error) {
	req, err := d.request(l.w.webhookURL)
	if err != nil {
		return 0, err
	}
	res, err := l.client.Do(req.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}
