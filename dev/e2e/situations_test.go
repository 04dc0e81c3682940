package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"

	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
)

// situations are all that an operator has to tell apart, with what the list says of each in the columns of
// docs/operations/observe.md: status, KycStatus, KycOutcome, KycWaitingFor, KycErrorType, type. The key is the workflow's id, without
// the UUID.
var situations = map[string]string{
	"kyc-waiting":           "Running | Not Started | - | user | - | Verification",
	"kyc-queued":            "Running | - | - | limit | - | Verification",
	"kyc-in-review":         "Running | In Review | - | review | - | Verification",
	"kyc-resubmitted":       "Running | Resubmitted | - | user | - | Verification",
	"kyc-didit-down":        "Running | - | - | didit | DiditUnavailable | Verification",
	"kyc-wrong-key":         "Completed | - | failed | - | DiditUnauthorized | Verification",
	"kyc-expired":           "Completed | Expired | expired | - | - | Verification",
	"kyc-callback-fails":    "Running | Approved | approved | callback | - | Verification",
	"kyc-erased~erase-":     "Completed | - | erased | - | - | Operation",
	"kyc-approved":          "Completed | Approved | approved | - | - | Verification",
	"kyc-changed":           "Completed | Declined | declined | - | - | Verification",
	"kyc-callback-refused":  "Completed | Declined | declined | - | CallbackGone | Verification",
	"kyc-abandoned":         "Completed | Abandoned | abandoned | - | - | Verification",
	"kyc-needs-an-operator": "Running | In Progress | - | operator | - | Verification",
}

// inEverySituation is a system with one user in each of them.
func inEverySituation(t *testing.T) *system {
	t.Helper()
	s := start(t, options{workerKey: "a-key-of-nobody", resultURL: moodySignup(t), server: tserver.Options{UI: true}})
	_, err := s.Start(s.within(timeout), kyc.Input{UserID: "wrong-key"})
	require.ErrorContains(t, err, kyc.ErrorTypeUnauthorized)
	s.closed("wrong-key")
	s.stopWorker()
	s.o.workerKey = apiKey
	s.stopWorker = s.startWorker(s.o)

	s.begin("waiting")
	s.bring("in-review", "review", false)
	asked := s.bring("resubmitted", "review", false)
	require.NoError(t, s.sim.SetStatus(asked.Session.SessionID, didit.StatusResubmitted))
	require.NoError(t, s.sim.SetStatus(s.begin("expired").Session.SessionID, didit.StatusExpired))
	s.bring("abandoned", "abandon", true)
	s.bring("approved", "approve", true)
	s.bring("callback-fails", "approve", true)
	s.bring("callback-refused", "decline", true)
	s.bring("erased", "approve", true)
	s.erase("erased")
	changed := s.bring("changed", "approve", true)
	s.closed("changed")
	require.NoError(t, s.sim.SetStatus(changed.Session.SessionID, didit.StatusDeclined))
	s.puzzle("needs-an-operator")

	s.begins("didit-down", diditsim.Fault{Status: http.StatusServiceUnavailable, Times: 1000, VendorData: "didit-down"})
	s.eventually(func() bool { return s.finds("WorkflowId = 'kyc-didit-down' AND KycWaitingFor = 'didit'") }, "Didit does not answer")
	none := float32(0)
	s.anyone("somebody@console", &none)
	s.begins("queued", diditsim.Fault{VendorData: "nobody"})
	return s
}

// begins starts a user for whom there will be no session while the test lasts.
func (s *system) begins(user string, fault diditsim.Fault) {
	s.t.Helper()
	s.sim.FailNext(http.MethodPost, "/v3/session/", fault)
	ctx := s.t.Context()
	go func() { _, _ = s.Start(ctx, kyc.Input{UserID: user}) }()
	s.eventually(func() bool { _, err := s.State(s.within(timeout), user); return err == nil }, user+" has begun")
}

// puzzle brings a user to a state without a name: the key cannot read the session.
func (s *system) puzzle(user string) {
	s.t.Helper()
	began := s.begin(user)
	s.open(began.Session.URL)
	s.status(user, didit.StatusInProgress)
	s.sim.FailNext(http.MethodGet, "/v3/session/"+began.Session.SessionID+"/decision/", diditsim.Fault{Status: http.StatusNotFound, Body: `{"detail": "Not found."}`, Times: 1000})
	_, _ = s.Refresh(s.within(timeout), user, ops.Request{Operator: jo}) // says the same as an error
}

// moodySignup takes the results of all but two users: those of one it refuses, those of another it wants no more.
func moodySignup(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var said kyc.Result
		_ = json.NewDecoder(r.Body).Decode(&said)
		code := map[string]int{"callback-fails": http.StatusServiceUnavailable, "callback-refused": http.StatusGone}[said.Data.UserID]
		if code == 0 {
			code = http.StatusNoContent
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

var anyUUID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// list is what the list page gets, in the columns of situations, by workflow id without a UUID.
func (s *system) list(query string) map[string]string {
	s.t.Helper()
	page, err := s.Temporal().ListWorkflow(s.within(timeout), &workflowservice.ListWorkflowExecutionsRequest{PageSize: 100, Query: query})
	require.NoError(s.t, err)
	rows := map[string]string{}
	for _, x := range page.GetExecutions() {
		id := anyUUID.ReplaceAllString(x.GetExecution().GetWorkflowId(), "")
		row := []string{x.GetStatus().String()}
		for _, column := range []string{kyc.AttributeStatus, kyc.AttributeOutcome, kyc.AttributeWaitingFor, kyc.AttributeErrorType} {
			row = append(row, cell(x, column))
		}
		if rows[id] == "" { // newest first: an older run of a user says what was so before
			rows[id] = strings.Join(append(row, x.GetType().GetName()), " | ")
		}
	}
	return rows
}

func cell(x *workflowpb.WorkflowExecutionInfo, column string) string {
	var text string
	if p := x.GetSearchAttributes().GetIndexedFields()[column]; p != nil && converter.GetDefaultDataConverter().FromPayload(p, &text) == nil && text != "" {
		return text
	}
	return "-"
}

func TestTheListDistinguishesEachSituation(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := inEverySituation(t)
	var rows map[string]string
	defer func() { t.Log(rows) }()
	for id, want := range situations {
		s.eventually(func() bool { rows = s.list(""); return rows[id] == want }, id+": "+want)
	}
	require.Len(t, rows, len(situations), "a row without an explanation")
	seen := map[string]string{}
	for id, row := range rows {
		require.Empty(t, seen[row], "%s looks the same", id)
		seen[row] = id
	}
	page := observePage(t)
	for id, row := range situations {
		require.Contains(t, page, "| `"+strings.ReplaceAll(row, " | ", "` | `")+"` |", "%s is explained to operators", id)
	}
	s.viewsHold(page)

	s.sim.ClearFaults()
	s.anyone("somebody@console", nil)
	for _, id := range []string{"kyc-didit-down", "kyc-queued"} {
		s.eventually(func() bool { return s.list("")[id] == situations["kyc-waiting"] }, id+" goes on, and nothing is wrong any more")
	}
	s.bring("didit-down", "approve", true)
	s.closed("didit-down")
	s.record("didit-down", "didit-silent")
}

// viewsHold asks the server each query of the page's views; the words in capitals are times.
func (s *system) viewsHold(page string) {
	s.t.Helper()
	times := strings.NewReplacer(
		"A_DAY_AGO", time.Now().UTC().Add(time.Minute).Format(time.RFC3339), // as if a day had passed
		"THREE_DAYS_AGO", time.Now().UTC().Add(time.Minute).Format(time.RFC3339),
		"A_WEEK_AGO", time.Now().UTC().Add(-time.Hour).Format(time.RFC3339),
		"TODAY", time.Now().UTC().Add(-time.Hour).Format(time.RFC3339),
	)
	rows := viewRows(page)
	require.Len(s.t, rows, len(views))
	for _, row := range rows {
		name, query := row[1], row[2]
		got := slices.Sorted(maps.Keys(s.list(times.Replace(query))))
		require.Equal(s.t, views[name], got, "%s: %s", name, query)
		if row[3] != "" {
			link, err := url.Parse(row[3])
			require.NoError(s.t, err)
			require.Equal(s.t, query, link.Query().Get("query"))
			require.Equal(s.t, name, link.Query().Get("savedQuery"), "the Web UI keeps the view under this name")
		}
	}
}

// viewRows are the page's views: a row, the name, the query and perhaps a link.
func viewRows(page string) [][]string {
	return regexp.MustCompile("(?m)^\\| ([^|`]+) \\| `([^`]+)` \\| (?:\\[open\\]\\(([^)]+)\\))? ?\\|$").FindAllStringSubmatch(page, -1)
}

// views are those of docs/operations/observe.md, with whom they find.
var views = map[string][]string{
	"Waiting over a day": {"kyc-callback-fails", "kyc-didit-down", "kyc-in-review", "kyc-needs-an-operator", "kyc-queued", "kyc-resubmitted", "kyc-waiting"},
	"In review too long": {"kyc-in-review"},
	"Decided today":      {"kyc-approved", "kyc-callback-refused", "kyc-changed"},
	"Rate-limited now":   {"kyc-queued"},
	"Didit is silent":    {"kyc-didit-down"},
	"Undelivered":        {"kyc-callback-fails"},
	"Needs an operator":  {"kyc-needs-an-operator"},

	"Never delivered, this week": {"kyc-callback-refused"},
	"Got no session today":       {"kyc-wrong-key"},
}

func observePage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/operations/observe.md")
	require.NoError(t, err)
	return string(page)
}
