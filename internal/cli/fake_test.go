package cli

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// fake is a verifications of functions; a command that calls one which a test has not given panics.
type fake struct {
	start      func(context.Context, kyc.Input) (kyc.Started, error)
	state      func(context.Context, string) (kyc.State, error)
	wait       func(context.Context, string) (kyc.State, error)
	setup      func(context.Context) ([]ops.SearchAttribute, error)
	attributes func(context.Context) ([]ops.SearchAttribute, error)
	cloud      bool
	retention  time.Duration
	sweepMade  bool
	sweepError error
	limits     map[string]ops.QueueLimit
	position   ops.QueuePosition
	timeline   func(context.Context, string) ([]ops.Step, error)
	operate    func(context.Context, kyc.Operation) (kyc.OperationResult, error)
	refresh    func(context.Context, string, ops.Request) (kyc.State, error)
	cancel     func(context.Context, string, ops.Request) (kyc.State, error)
	closed     int
}

func (f *fake) Timeline(ctx context.Context, userID string) ([]ops.Step, error) {
	return f.timeline(ctx, userID)
}
func (f *fake) Operate(ctx context.Context, op kyc.Operation) (kyc.OperationResult, error) {
	return f.operate(ctx, op)
}
func (f *fake) Refresh(ctx context.Context, userID string, r ops.Request) (kyc.State, error) {
	return f.refresh(ctx, userID, r)
}
func (f *fake) Cancel(ctx context.Context, userID string, r ops.Request) (kyc.State, error) {
	return f.cancel(ctx, userID, r)
}

func (f *fake) Start(ctx context.Context, in kyc.Input) (kyc.Started, error) { return f.start(ctx, in) }
func (f *fake) State(ctx context.Context, userID string) (kyc.State, error) {
	return f.state(ctx, userID)
}
func (f *fake) Wait(ctx context.Context, userID string) (kyc.State, error) {
	return f.wait(ctx, userID)
}
func (f *fake) Setup(ctx context.Context) ([]ops.SearchAttribute, error) { return f.setup(ctx) }
func (f *fake) SearchAttributes(ctx context.Context) ([]ops.SearchAttribute, error) {
	return f.attributes(ctx)
}
func (f *fake) SetupSweep(context.Context) (bool, error) { return f.sweepMade, f.sweepError }
func (f *fake) QueueLimit(_ context.Context, queue string) (ops.QueueLimit, error) {
	if l, ok := f.limits[queue]; ok {
		return l, nil
	}
	return ops.QueueLimit{Queue: queue, Source: ops.LimitNone}, nil
}
func (f *fake) QueuePosition(context.Context, kyc.Priority) (ops.QueuePosition, error) {
	return f.position, nil
}
func (f *fake) Retention(context.Context) (time.Duration, error) { return f.retention, nil }
func (f *fake) Namespace() string                                { return "kyc-test" }
func (f *fake) OnCloud() bool                                    { return f.cloud }
func (f *fake) Close()                                           { f.closed++ }

// bench runs commands against a fake.
type bench struct {
	fake        fake
	stdin       string
	terminal    bool
	interactive bool
	dialError   error
	dials       int
	out, errOut bytes.Buffer
	environment map[string]string // of serve; default: what it needs
	served      []config.Starter
	checked     []string
}

func (b *bench) getenv(name string) string {
	if b.environment == nil && name == "STARTER_TOKENS" {
		return "shop:" + shopToken
	}
	return b.environment[name]
}

func (b *bench) run(ctx context.Context, args ...string) error { return b.tool().run(ctx, args) }

func (b *bench) tool() *tool {
	return &tool{
		stdin: strings.NewReader(b.stdin), stdout: &b.out, stderr: &b.errOut, terminal: b.terminal, interactive: b.interactive, now: time.Now, after: time.After,
		dial: func(context.Context) (verifications, error) {
			b.dials++
			if b.dialError != nil {
				return nil, b.dialError
			}
			return &b.fake, nil
		},
		getenv: b.getenv,
		serve: func(_ context.Context, cfg config.Starter, _ *slog.Logger) error {
			b.served = append(b.served, cfg)
			return b.dialError
		},
		alive: func(_ context.Context, _, addr string) error {
			b.checked = append(b.checked, addr)
			return b.dialError
		},
	}
}

// line runs a command line without quotes.
func (b *bench) line(t *testing.T, command string) error {
	t.Helper()
	return b.run(t.Context(), strings.Fields(command)...)
}

var errNotDialled = errors.New("the command wanted to connect")

const (
	secretURL   = "https://verify.didit.me/session/s3cret?a=1&b=2"
	secretToken = "t0ken-s3cret"
)

func session() kyc.Session {
	return kyc.Session{SessionID: "session-1", SessionToken: secretToken, URL: secretURL, Status: didit.StatusNotStarted}
}

func newOne(userID string) kyc.Started {
	return kyc.Started{
		State:   kyc.State{UserID: userID, SessionID: "session-1", WorkflowID: "flow-1", Status: didit.StatusNotStarted, Attempt: 1},
		Session: session(), RunID: "run-1", New: true,
	}
}

func joinedOne(userID string) kyc.Started {
	s := newOne(userID)
	s.New, s.State.Status, s.Session.Status = false, didit.StatusInProgress, didit.StatusInProgress
	s.State.UpdatedAt = noon
	return s
}

func decidedOne(userID string) kyc.Started {
	return kyc.Started{State: approved(userID), RunID: "run-1"}
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func approved(userID string) kyc.State {
	return kyc.State{
		UserID: userID, SessionID: "session-1", WorkflowID: "flow-1", Status: didit.StatusApproved, Outcome: kyc.OutcomeApproved, Attempt: 2,
		Checks:   []kyc.Check{{Feature: "ID_VERIFICATION", Status: "Approved"}, {Feature: "LIVENESS", Status: "Approved"}},
		Warnings: []string{"LOW_LIGHT"}, UpdatedAt: noon,
	}
}
