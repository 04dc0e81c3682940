package workflows_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// fakeDidit is a Didit of one user, whose clock is the workflow's. It keeps Didit's rule that an unfinished session is
// returned again (docs.didit.me/sessions-api/create-session).
type fakeDidit struct {
	now       func() time.Time
	sessions  []*fakeSession // oldest first
	reads     []time.Time
	reviews   []didit.Review
	users     int  // entities that Didit keeps of the user
	blurred   bool // a session was handed out again, so that metadata do not say any more which session counts
	requested func(didit.CreateSessionRequest)
	bought    func(made *fakeSession, before []*fakeSession)
	removed   func(*fakeSession)
	fault     func(call string) error // what a call ends with; for "created" after it had its effect
	shown     func(s *fakeSession) didit.Status
}

type fakeSession struct {
	id, flow, vendor string
	status           didit.Status
	created          time.Time
	since            time.Time // when it got its status
	metadata         json.RawMessage
	deleted          bool
	foreign          bool // another program of the account made it, and this one never got it
}

func (s *fakeSession) meta() kyc.SessionMetadata { return kyc.MetadataOf(s.metadata) }

func sessionID(n int) string { return fmt.Sprintf("11111111-2222-4333-8444-%012d", n) }

func newFakeDidit() *fakeDidit {
	return &fakeDidit{
		now: time.Now, bought: func(*fakeSession, []*fakeSession) {}, removed: func(*fakeSession) {}, fault: func(string) error { return nil },
		shown: func(s *fakeSession) didit.Status { return s.status },
	}
}

var errLost = fmt.Errorf("the answer was lost")

func (d *fakeDidit) live() (out []*fakeSession) {
	for _, s := range d.sessions {
		if !s.deleted {
			out = append(out, s)
		}
	}
	return out
}

func (d *fakeDidit) add(flow, vendor string, metadata json.RawMessage, status didit.Status) *fakeSession {
	s := &fakeSession{id: sessionID(len(d.sessions) + 1), flow: flow, vendor: vendor, status: status, created: d.now(), since: d.now(), metadata: metadata}
	d.sessions = append(d.sessions, s)
	return s
}

func (d *fakeDidit) find(id string) *fakeSession {
	for _, s := range d.live() {
		if s.id == id {
			return s
		}
	}
	return nil
}

func unfinished(s didit.Status) bool {
	return slices.Contains([]didit.Status{didit.StatusNotStarted, didit.StatusInProgress, didit.StatusResubmitted, didit.StatusAwaitingUser}, s)
}

func (d *fakeDidit) CreateSession(_ context.Context, r didit.CreateSessionRequest) (didit.Session, error) {
	if d.requested != nil {
		d.requested(r)
	}
	if err := d.fault("create"); err != nil {
		return didit.Session{}, err
	}
	before := d.live()
	s, made := d.sessionFor(r.WorkflowID, r.VendorData, r.Metadata)
	s.foreign = false
	if made {
		d.bought(s, before)
	}
	d.blurred = d.blurred || s != d.live()[len(d.live())-1]
	if err := d.fault("created"); err != nil {
		return didit.Session{}, err
	}
	return didit.Session{ID: s.id, Token: "token-" + s.id, URL: link(s), Status: s.status}, nil
}

// sessionFor is the unfinished session that a create gets again, with other metadata, or one that it makes.
func (d *fakeDidit) sessionFor(flow, vendor string, metadata json.RawMessage) (s *fakeSession, made bool) {
	for _, x := range slices.Backward(d.live()) {
		if x.vendor == vendor && x.flow == flow && unfinished(x.status) {
			x.metadata = metadata
			return x, false
		}
	}
	return d.add(flow, vendor, metadata, didit.StatusNotStarted), true
}

// becomes changes the status of a session.
func (d *fakeDidit) becomes(s *fakeSession, to didit.Status) { s.status, s.since = to, d.now() }

func link(s *fakeSession) string { return "https://didit.example/session/token-" + s.id }

func (d *fakeDidit) Decision(_ context.Context, id string) (didit.Decision, error) {
	d.reads = append(d.reads, d.now())
	if err := d.fault("read"); err != nil {
		return didit.Decision{}, err
	}
	s := d.find(id)
	if s == nil {
		return didit.Decision{}, &didit.APIError{StatusCode: 404, Detail: "Not found."}
	}
	return didit.Decision{
		SessionID: s.id, VendorData: s.vendor, WorkflowID: s.flow, Status: d.shown(s), SessionURL: link(s), Metadata: s.metadata,
		Environment: didit.EnvironmentLive,
	}, nil
}

func (d *fakeDidit) ListSessions(_ context.Context, r didit.ListSessionsRequest) (didit.SessionPage, error) {
	if err := d.fault("list"); err != nil {
		return didit.SessionPage{}, err
	}
	var page didit.SessionPage
	for _, s := range slices.Backward(d.live()) {
		if strings.EqualFold(s.vendor, r.VendorData) {
			page.Sessions = append(page.Sessions, didit.SessionSummary{ID: s.id, Status: s.status, VendorData: s.vendor, CreatedAt: s.created})
		}
	}
	return page, nil
}

func (d *fakeDidit) UpdateStatus(_ context.Context, id string, r didit.UpdateStatusRequest) error {
	if err := d.fault("update"); err != nil {
		return err
	}
	s := d.find(id)
	if s == nil {
		return &didit.APIError{StatusCode: 404, Detail: "Not found."}
	}
	d.becomes(s, r.NewStatus)
	d.reviews = append(d.reviews, didit.Review{NewStatus: r.NewStatus, Comment: didit.Sensitive(r.Comment), CreatedAt: d.now()})
	return d.fault("updated")
}

func (d *fakeDidit) DeleteSession(_ context.Context, id string, _ didit.DeleteSessionRequest) (didit.DeletedSession, error) {
	if err := d.fault("delete"); err != nil {
		return didit.DeletedSession{}, err
	}
	s := d.find(id)
	if s == nil {
		return didit.DeletedSession{}, &didit.APIError{StatusCode: 404, Detail: "Not found."}
	}
	s.deleted = true
	d.removed(s)
	return didit.DeletedSession{}, nil
}

func (d *fakeDidit) Reviews(context.Context, string) ([]didit.Review, error) {
	return d.reviews, d.fault("reviews")
}

func (d *fakeDidit) SessionsOf(ctx context.Context, vendor string) ([]didit.SessionSummary, error) {
	page, err := d.ListSessions(ctx, didit.ListSessionsRequest{VendorData: vendor})
	return page.Sessions, err
}

func (d *fakeDidit) DeleteUser(context.Context, string) (int, error) {
	n := d.users
	d.users = 0
	return n, d.fault("user")
}
