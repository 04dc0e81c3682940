package speed

import (
	"context"
	"net/http"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/dev/procs"
	"didit-temporal/didit"
)

// forged is what an unsigned request costs: an attacker pays for sending it, and we for refusing.
func forged(ctx context.Context, env *run.Env) (*run.Report, error) {
	s, err := newSystem(ctx, env, testbed.TemporalOptions{}, testbed.Fast{Peer: true}, true)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	wrong := didit.Sign("another secret than ours", []byte("x"))
	r, table := &run.Report{}, comparison("processor time for a refused request of 4 KB")
	body := verification{user: "forged"}.body(didit.StatusApproved, 4<<10)
	for _, c := range []struct {
		name, path, peer string
		header           http.Header
		code             int
		target           float64
	}{
		{"no signature", "/at-once", "gin, 403 at once", http.Header{}, http.StatusBadRequest, 1.3},
		{"wrong X-Signature", "/hmac", "gin, HMAC, 403", http.Header{"X-Signature": {wrong}}, http.StatusForbidden, 1.2},
		{
			"wrong X-Signature and V2", "/verify", "gin, Verify, 403",
			http.Header{"X-Signature": {wrong}, "X-Signature-V2": {wrong}}, http.StatusForbidden, 1.2,
		},
	} {
		if !env.Wants(c.name) {
			continue
		}
		ours := request{url: s.WebhookURL, header: c.header, body: body, want: c.code}
		theirs := request{url: s.PeerURL + c.path, header: c.header, body: body, want: http.StatusForbidden}
		n := run.Pick(env, 30_000, 1000) // the kernel counts processor time in 10 ms
		pairs, err := alternate(ctx, env, "forged, "+c.name, pairsOf(env), s.refused(s.Hook, ours, n), s.refused(s.Peer, theirs, n))
		if err != nil {
			return nil, err
		}
		compare(r, &table, c.name+", processor time", c.peer, pairs["cpu"], micros, run.AtMost(c.target))
		compare(r, &table, c.name+", rate", c.peer, pairs["rate"], perSecond, run.Target{})
	}
	r.Tables = append(r.Tables, table)
	r.Notes = append(r.Notes, "The peer is a handler of gin behind a server with the same timeouts that does no more than its name says and answers as much; ours writes a line of log for each request as well. "+
		"Processor time is that of the answering process, so that the cost of sending does not blur it.")
	return r, nil
}

// refused measures n equal requests.
func (s *system) refused(p *procs.Program, r request, n int) measurement {
	return func(ctx context.Context, _ int) (figures, error) {
		return s.sent(ctx, p, connections/4, n, func(int) request { return r })
	}
}

// sent sends n requests over some connections, and counts the processor time that each takes a program.
func (s *system) sent(ctx context.Context, p *procs.Program, connections, n int, request func(i int) request) (f figures, err error) {
	cpu, err := costing(ctx, p, func() error {
		l, err := closed(ctx, connections, n, func(ctx context.Context, i int) error {
			_, err := s.flood.send(ctx, request(i))
			return err
		})
		f = l.figures()
		return err
	})
	if err != nil {
		return nil, err
	}
	f["cpu"] = cpu.Seconds() / float64(n)
	return f, nil
}
