package speed

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"didit-temporal/dev/bench/run"
	"didit-temporal/dev/bench/testbed"
	"didit-temporal/didit"
)

// verify is what it costs to check a signature, for bodies of some sizes.
func verify(ctx context.Context, env *run.Env) (*run.Report, error) {
	verifier, err := didit.NewVerifier(didit.VerifierOptions{Secrets: []string{testbed.Secret}, Tolerance: time.Hour})
	if err != nil {
		return nil, err
	}
	r, table := &run.Report{}, comparison("time to check one webhook")
	py, err := startPythonVerifier(ctx)
	switch {
	case errors.Is(err, errNoPython):
		r.Notes = append(r.Notes, "Python was not measured: there is none.")
	case err != nil:
		return nil, err
	default:
		defer py.close()
	}
	for _, size := range []int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10} {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		v := &checks{verifier: verifier, python: py}
		if v.good, err = hook("", verification{user: "u"}.body(didit.StatusApproved, size), 0); err != nil {
			return nil, err
		}
		if err := v.compare(ctx, env, r, &table, fmt.Sprintf("%d KB", size>>10)); err != nil {
			return nil, err
		}
	}
	r.Tables = append(r.Tables, table)
	r.Notes = append(r.Notes, "Signature step: headers, HMAC and comparison, for a body whose X-Signature is wrong. Raw and V2: all of Verify, which reads the event, "+
		"when X-Signature matches, and when only X-Signature-V2 does. Python: json and hmac of its standard library, as in Didit's documentation.")
	return r, nil
}

// checks measures one body.
type checks struct {
	verifier *didit.Verifier
	python   *pythonVerifier
	good     request
}

func (c *checks) compare(ctx context.Context, env *run.Env, r *run.Report, t *run.Table, size string) error {
	wrong := didit.Sign("another secret than ours", c.good.body)
	unsigned, onlyV2 := http.Header{didit.HeaderSignature: {wrong}}, maps.Clone(c.good.header)
	onlyV2[didit.HeaderSignature] = []string{wrong}
	for _, x := range []struct {
		name, python string
		header       http.Header
		want         error
		target       float64
	}{
		{"signature step, ", "", unsigned, didit.ErrBadSignature, 1.25},
		{"raw, ", "raw", c.good.header, nil, 5},
		{"V2, ", "v2", onlyV2, nil, 8},
	} {
		if _, err := c.verifier.Verify(x.header, c.good.body); !errors.Is(err, x.want) {
			return fmt.Errorf("verify gives another answer than is wanted: %w", err)
		}
		ours := func(context.Context, int) (figures, error) {
			took := timed(func() { _, _ = c.verifier.Verify(x.header, c.good.body) })
			return figures{"took": took, "per second": 1 / took}, nil
		}
		theirs := func(context.Context, int) (figures, error) { return figures{"took": timed(c.floor())}, nil }
		bare, err := alternate(ctx, env, "verify, "+x.name+size, pairsOf(env), ours, theirs)
		if err != nil {
			return err
		}
		compare(r, t, x.name+size, "bare HMAC-SHA256", bare["took"], micros, run.AtMost(x.target))
		if x.python == "" || c.python == nil {
			continue
		}
		snake, err := alternate(ctx, env, "verify, "+x.name+size+", Python", pairsOf(env), ours, func(context.Context, int) (figures, error) {
			took, err := c.python.perBody(x.python, c.good)
			return figures{"per second": 1 / took}, err
		})
		if err != nil {
			return err
		}
		compare(r, t, x.name+size+", rate", "Python", snake["per second"], perSecond, run.AtLeast(5))
	}
	return nil
}

// floor is the least there is: the HMAC of the bytes, with its state used again.
func (c *checks) floor() func() {
	mac, sum := hmac.New(sha256.New, []byte(testbed.Secret)), make([]byte, 0, sha256.Size)
	return func() {
		mac.Reset()
		mac.Write(c.good.body)
		mac.Sum(sum)
	}
}

// timed is how many seconds f takes, of as many that the clock need not be read in between and that they take 20 ms.
func timed(f func()) float64 {
	for n := 1; ; n *= 2 {
		began := time.Now()
		for range n {
			f()
		}
		if took := time.Since(began); took > 20*time.Millisecond {
			return took.Seconds() / float64(n)
		}
	}
}
