package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

var clerk = kyc.Operator{Actor: "al", Reason: "request:CASE-12"}

// lives bring users to the states in which they can be erased. Each returns what must be found nowhere afterwards.
var lives = map[string]func(s *system, user string) (markers []string){
	"nothing": func(*system, string) []string { return nil },
	"queue": func(s *system, user string) []string { // Didit makes no session
		s.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Status: http.StatusServiceUnavailable, Times: 1000, VendorData: user})
		s.waits(user, kyc.ErrorTypeErased)
		return nil
	},
	"not-started": func(s *system, user string) []string { return secrets(s.begin(user)) },
	"in-progress": func(s *system, user string) []string {
		began := s.begin(user)
		s.open(began.Session.URL)
		s.status(user, didit.StatusInProgress)
		return secrets(began)
	},
	"in-review": func(s *system, user string) []string { return secrets(s.bring(user, "review", false)) },
	"resubmitted": func(s *system, user string) []string {
		began := s.bring(user, "review", false)
		_, err := s.Operate(s.within(timeout), kyc.Operation{UserID: user, Verb: kyc.VerbResubmit, Operator: jo})
		require.NoError(s.t, err)
		s.status(user, didit.StatusResubmitted)
		return secrets(began)
	},
	"approved": func(s *system, user string) []string { return secrets(s.bring(user, "approve", true)) },
	"declined": func(s *system, user string) []string { return secrets(s.bring(user, "decline", true)) },
	"changed": func(s *system, user string) []string { // with a late update
		began := s.bring(user, "approve", true)
		_, err := s.Operate(s.within(timeout), kyc.Operation{UserID: user, Verb: kyc.VerbDecline, Operator: jo})
		require.NoError(s.t, err)
		s.status(user, didit.StatusDeclined)
		return secrets(began)
	},
	"several": func(s *system, user string) []string {
		first := s.bring(user, "decline", true)
		second, err := s.Start(s.within(timeout), kyc.Input{UserID: user, Reverify: true})
		require.NoError(s.t, err)
		return append(secrets(first), secrets(second)...)
	},
	"failed": func(s *system, user string) []string {
		s.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Status: http.StatusForbidden, VendorData: user})
		_, err := s.Start(s.within(timeout), kyc.Input{UserID: user})
		require.ErrorContains(s.t, err, kyc.ErrorTypeUnauthorized)
		return nil
	},
	"terminated": func(s *system, user string) []string {
		began := s.begin(user)
		require.NoError(s.t, s.terminate(s.t.Context(), kyc.WorkflowID(user), began.RunID))
		return secrets(began)
	},
	"cancelled": func(s *system, user string) []string {
		began := s.bring(user, "review", false)
		_, err := s.Cancel(s.within(timeout), user, ops.Request{Operator: jo})
		require.NoError(s.t, err)
		return secrets(began)
	},
}

func secrets(began kyc.Started) []string {
	return []string{began.Session.URL, began.Session.SessionToken}
}

// waits starts a user for whom Didit makes no session. A caller who waits for the URL must learn why there will be none,
// before the test is over; until then the caller has all the time that the test takes.
func (s *system) waits(user, want string) {
	s.t.Helper()
	answers, calls := make(chan error, 1), s.sim.CallCount(diditsim.EndpointCreate)
	ctx, giveUp := context.WithCancel(context.Background())
	go func() {
		_, err := s.Start(ctx, kyc.Input{UserID: user})
		answers <- err
	}()
	s.t.Cleanup(func() {
		defer time.AfterFunc(timeout, giveUp).Stop()
		var none *kyc.SessionError
		if err := <-answers; !errors.As(err, &none) || none.Type != want {
			s.t.Errorf("%s: the caller got %v", user, err)
		}
	})
	s.eventually(func() bool { return s.sim.CallCount(diditsim.EndpointCreate) > calls }, "a create that fails")
}

func (s *system) erase(user string) (kyc.Erased, string) {
	s.t.Helper()
	id := uuid.NewString()
	r, err := s.Operate(s.within(3*timeout), kyc.Operation{UserID: user, Verb: kyc.VerbErase, Operator: clerk, LegalHoldChecked: true, ID: id})
	require.NoError(s.t, err, user)
	require.Equal(s.t, r.Already, !r.Changed)
	return *r.Erased, kyc.OperationID(user, kyc.VerbErase, id)
}

// runs are all that the visibility store has of a user.
func (s *system) runs(user string) []*workflowpb.WorkflowExecutionInfo {
	s.t.Helper()
	res, err := s.Temporal().ListWorkflow(s.within(timeout), &workflowservice.ListWorkflowExecutionsRequest{
		Query: "WorkflowId = 'kyc-" + user + "' OR WorkflowId STARTS_WITH 'kyc-" + user + "~'",
	})
	require.NoError(s.t, err)
	return res.GetExecutions()
}

func TestEraseInEveryState(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "temporal.db")
	s := start(t, options{server: tserver.Options{DBFile: file}})
	bystander := s.begin("bystander")
	var markers []string
	for user, live := range lives {
		markers = append(markers, live(s, user)...)
	}
	require.NotEmpty(t, inFiles(t, file, markers), "the control: before, there is something to be found")

	want := map[string]kyc.Erased{
		"nothing":     {},
		"queue":       {Runs: 1, Ended: true},
		"not-started": {Sessions: 1, Users: 1, Runs: 1, Ended: true},
		"in-progress": {Sessions: 1, Users: 1, Runs: 1, Ended: true},
		"in-review":   {Sessions: 1, Users: 1, Runs: 1, Ended: true},
		"resubmitted": {Sessions: 1, Users: 1, Runs: 2, Ended: true}, // the verification and the operator action
		"approved":    {Sessions: 1, Users: 1, Runs: 1},
		"declined":    {Sessions: 1, Users: 1, Runs: 1},
		"changed":     {Sessions: 1, Users: 1, Runs: 3}, // and the run of the late update
		"several":     {Sessions: 2, Users: 1, Runs: 2, Ended: true},
		"failed":      {Runs: 1},
		"terminated":  {Sessions: 1, Users: 1, Runs: 1},
		"cancelled":   {Sessions: 1, Users: 1, Runs: 1},
	}
	s.atOnce(slices.Collect(maps.Keys(lives)), func(s *system, user string) {
		got, record := s.erase(user)
		if user == "changed" { // where the action's own event came first, its webhook begins a run that finds nothing new
			require.Contains(s.t, []int{3, 4}, got.Runs)
			got.Runs = want[user].Runs
		}
		require.Equal(s.t, want[user], got)
		s.forgotten(user, record)
		if user == "nothing" || user == "not-started" || user == "several" {
			s.recordRun(record, "erase-"+user)
		}
		again, second := s.erase(user)
		require.Equal(s.t, kyc.Erased{}, again, "run again, it finds nothing")
		s.forgotten(user, record, second)
		for _, x := range s.runs(user) {
			text := fmt.Sprint(s.historyOf(x.GetExecution().GetWorkflowId(), ""))
			require.NotContains(s.t, text, "/session/")
		}
	})
	require.Equal(t, bystander.State.SessionID, s.stateOf("bystander").SessionID)
	require.NoError(t, s.server.Stop()) // which empties the write-ahead log into the file
	require.Equal(t, secrets(bystander), inFiles(t, file, append(markers, secrets(bystander)...)), "only the bystander's")
}

// inFiles lists which markers are in Temporal's database, freed pages and write-ahead log included.
func inFiles(t *testing.T, db string, markers []string) (found []string) {
	t.Helper()
	files, err := filepath.Glob(db + "*")
	require.NoError(t, err)
	var all []byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		all = append(all, b...)
	}
	for _, m := range markers {
		if bytes.Contains(all, []byte(m)) {
			found = append(found, m)
		}
	}
	return found
}

// The caller has gone, and Didit makes the session all the same, some seconds later.
func TestEraseFindsTheSessionOfALostCreate(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	s.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Kind: diditsim.HangUpThenCommit, Delay: 15 * time.Second})
	s.waits("u1", kyc.ErrorTypeErased)
	got, record := s.erase("u1")
	require.Equal(t, kyc.Erased{Sessions: 1, Users: 1, Runs: 1, Ended: true}, got)
	s.forgotten("u1", record)
	s.recordRun(record, "erase-lost-create")
}

func TestEraseWhileCallsFail(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	s.bring("503", "approve", true)
	s.sim.FailNext(http.MethodDelete, "/v3/session/", diditsim.Fault{Status: http.StatusServiceUnavailable, Times: 2, VendorData: "503"})
	got, record := s.erase("503")
	require.Equal(t, kyc.Erased{Sessions: 1, Users: 1, Runs: 1}, got)
	s.forgotten("503", record)
	s.recordRun(record, "erase-503")

	began := s.bring("held", "decline", true)
	fault := diditsim.Fault{Status: http.StatusConflict, Body: `{"code":"in_filed_report","detail":"In a filed report."}`, VendorData: "held"}
	s.sim.FailNext(http.MethodDelete, "/v3/session/", fault)
	id := uuid.NewString()
	op := kyc.Operation{UserID: "held", Verb: kyc.VerbErase, Operator: clerk, LegalHoldChecked: true, ID: id}
	_, err := s.Operate(s.within(timeout), op)
	var refused *ops.OperationError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, kyc.ErrorTypeLegalHold, refused.Type)
	require.Contains(t, refused.Message, began.Session.SessionID)
	require.Len(t, s.sim.SessionsOf("held"), 1)
	require.True(t, s.sim.HasUser("held"))
	s.recordRun(kyc.OperationID("held", kyc.VerbErase, id), "erase-held")
	got, record = s.erase("held") // the report is settled
	require.Equal(t, kyc.Erased{Sessions: 1, Users: 1, Runs: 1}, got, "and the record of the one that failed")
	s.forgotten("held", record)
}

// Two users of ours, one of Didit's; its sessions are distinguished, and SQLite's lists must be checked again.
func TestEraseLeavesAloneAUserWhoseIDDiffersInCase(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	s.bring("Mia", "decline", true)
	_, err := s.Operate(s.within(timeout), kyc.Operation{UserID: "Mia", Verb: kyc.VerbApprove, Operator: jo})
	require.NoError(t, err)
	s.status("Mia", didit.StatusApproved)
	s.bring("mia", "approve", true)
	got, _ := s.erase("mia")
	require.Equal(t, kyc.Erased{Sessions: 1, Users: 1, Runs: 1}, got)
	require.Equal(t, didit.StatusApproved, s.stateOf("Mia").Status)
	require.Len(t, s.sim.SessionsOf("Mia"), 1)
	got, _ = s.erase("Mia")
	require.Contains(t, []int{3, 4}, got.Runs, "the verification, the operator action, and what its event and its webhook began")
	require.Equal(t, kyc.Erased{Sessions: 1, Runs: got.Runs}, got)
	_, err = s.State(s.within(timeout), "Mia")
	require.ErrorIs(t, err, kyc.ErrNotFound)
}

// A webhook that was on its way when the user was erased.
func TestLateWebhooksOfAnErasedUserLeaveNoTrace(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	began := s.bring("u1", "approve", true)
	_, record := s.erase("u1")
	late := kyc.DiditEvent{EventID: uuid.NewString(), Type: didit.EventStatusUpdated, SessionID: began.Session.SessionID, Status: didit.StatusDeclined, CreatedAt: time.Now().Unix()}
	d, err := s.Deliver(s.within(timeout), "u1", late, kyc.Origin{Ours: true})
	require.NoError(t, err)
	require.Equal(t, kyc.DeliveredResume, d)
	s.eventually(func() bool {
		_, err := s.Temporal().DescribeWorkflow(s.within(timeout), kyc.WorkflowID("u1"), "")
		return err != nil
	}, "it deletes itself")
	s.forgotten("u1", record)
	again := s.begin("u1") // as a new user
	require.True(t, again.New)
	require.NotEqual(t, began.Session.SessionID, again.Session.SessionID)
}

// The histories of what an erasure deletes, taken before it does.
func TestWhatAnErasureDoesToOtherWorkflows(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	s.begin("waits")
	s.sim.FailNext(http.MethodPost, "/v3/session/", diditsim.Fault{Status: http.StatusServiceUnavailable, Times: 1000, VendorData: "queue"})
	s.waits("queue", kyc.ErrorTypeErased)
	for _, user := range []string{"waits", "queue"} {
		by := kyc.EraseRequest{Operator: clerk, OperationID: kyc.OperationID(user, kyc.VerbErase, uuid.NewString())}
		found, err := s.EndForErasure(s.within(timeout), user, by, false)
		require.NoError(t, err)
		require.True(t, found.Open)
		require.Equal(t, kyc.OutcomeErased, s.result(user).Outcome)
		s.record(user, "erased-"+user)
	}
	ev := kyc.DiditEvent{EventID: uuid.NewString(), Type: didit.EventStatusUpdated, SessionID: uuid.NewString(), Status: didit.StatusDeclined, CreatedAt: time.Now().Unix()}
	d, err := s.Deliver(s.within(timeout), "u1", ev, kyc.Origin{Ours: true})
	require.NoError(t, err)
	require.Equal(t, kyc.DeliveredResume, d)
	require.Zero(t, s.closed("u1"), "there is no such session, and nothing was erased: it is a run that knows nothing")
	_, err = s.State(s.within(timeout), "u1")
	require.ErrorIs(t, err, kyc.ErrNotFound)
	s.record("u1", "event-of-nobody")
}

func TestAnErasureThatNobodyConfirmedIsRefused(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s, starter := start(t, options{}), build(t, "starter")
	s.bring("u1", "approve", true)
	run, err := s.Temporal().ExecuteWorkflow(s.within(timeout), client.StartWorkflowOptions{
		ID: kyc.OperationID("u1", kyc.VerbErase, uuid.NewString()), TaskQueue: kyc.TaskQueue,
	}, kyc.WorkflowOperation, map[string]any{"user_id": "u1", "verb": "erase", "actor": "al", "reason": "request:CASE-12"})
	require.NoError(t, err)
	require.ErrorContains(t, run.Get(s.within(timeout), nil), "legal_hold_checked")
	as := []string{"erase", "--user", "u1", "--actor", "al", "--reason", "request:CASE-12"}
	_, errs, code := s.exec(starter, as...)
	require.NotZero(t, code)
	require.Contains(t, errs, "legal hold")
	require.Len(t, s.sim.SessionsOf("u1"), 1)

	out, errs, code := s.exec(starter, append(as, "--yes", "--no-legal-hold")...)
	require.Zero(t, code, errs)
	require.Contains(t, out, "sessions at Didit  1")
	require.Empty(t, s.sim.SessionsOf("u1"))
	out, errs, code = s.exec(starter, append(as, "--yes", "--no-legal-hold")...)
	require.Zero(t, code, errs)
	require.Contains(t, out, "nothing was left")
}

// forgotten checks that nothing of a user is left but the records of its erasures.
func (s *system) forgotten(user string, records ...string) {
	s.t.Helper()
	require.Empty(s.t, s.sim.SessionsOf(user))
	require.False(s.t, s.sim.HasUser(user))
	_, err := s.State(s.within(timeout), user)
	require.ErrorIs(s.t, err, kyc.ErrNotFound)
	s.eventually(func() bool { return len(s.runs(user)) == len(records) }, "only the records")
	for _, x := range s.runs(user) {
		require.Contains(s.t, records, x.GetExecution().GetWorkflowId())
	}
	story, err := s.Timeline(s.within(timeout), user)
	require.NoError(s.t, err)
	require.True(s.t, has(story, ops.Step{What: ops.StepAction, Actor: clerk.Actor, Reason: clerk.Reason, Note: "erase"}))
}
