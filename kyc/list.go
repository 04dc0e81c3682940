package kyc

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"

	"didit-temporal/didit"
)

// Summary is one run of a verification as Temporal's list shows it. It needs no worker and no payload key. The list lags
// a little, and a user has one entry for each run that Temporal still keeps: State is the truth about a user.
type Summary struct {
	UserID     string       `json:"user_id"`
	RunID      string       `json:"run_id"`
	SessionID  string       `json:"session_id"`
	Status     didit.Status `json:"status"`
	Outcome    Outcome      `json:"outcome"`
	WaitingFor WaitingFor   `json:"waiting_for"`
	ErrorType  string       `json:"error_type"`
	StartedAt  time.Time    `json:"started_at"`
	// EndedAt is when the run closed; zero while it is open.
	EndedAt time.Time `json:"ended_at,omitzero"`
}

// MaxList is the largest page of a list.
const MaxList = 1000

// Filter chooses runs of verifications that match all fields that are set; the zero value chooses all.
type Filter struct {
	Status     didit.Status
	Outcome    Outcome
	WaitingFor WaitingFor
	// Since chooses runs that began then or later.
	Since time.Time
	// OverSince chooses runs that closed then or later, and open ones that have an outcome.
	OverSince time.Time
	// Open chooses runs that are open: at most one of each user.
	Open    bool
	UserIDs []string
	// Limit is the size of a page, 1 to MaxList; 0 means 100. Page is Next of the page before.
	Limit int
	Page  string
}

// Page is a part of a list. Next is empty on the last one.
type Page struct {
	Items []Summary
	Next  string
}

// List returns one page of the verifications' runs, in no order that a caller may rely on. It costs one call to Temporal.
func (c *Client) List(ctx context.Context, f Filter) (Page, error) {
	query, err := f.query()
	if err != nil {
		return Page{}, err
	}
	token, err := base64.RawURLEncoding.DecodeString(f.Page)
	if err != nil {
		return Page{}, fmt.Errorf("%w: page is not one that a list has answered; leave it out for the first", ErrInvalidInput)
	}
	list, err := c.temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: c.namespace, PageSize: int32(cmp.Or(f.Limit, 100)), NextPageToken: token, Query: query,
	})
	if err != nil {
		return Page{}, fmt.Errorf("list verifications: %w", err)
	}
	page := Page{Items: make([]Summary, 0, len(list.GetExecutions())), Next: base64.RawURLEncoding.EncodeToString(list.GetNextPageToken())}
	for _, x := range list.GetExecutions() {
		page.Items = append(page.Items, SummaryOf(x))
	}
	return page, nil
}

// query returns the filter in Temporal's list syntax. It validates every text, so that none has a quote to escape.
func (f Filter) query() (string, error) {
	parts := []string{fmt.Sprintf("WorkflowType = '%s'", WorkflowVerification)}
	for _, one := range []struct{ name, value string }{
		{AttributeStatus, string(f.Status)}, {AttributeOutcome, string(f.Outcome)}, {AttributeWaitingFor, string(f.WaitingFor)},
	} {
		if one.value == "" {
			continue
		}
		if !plain(strings.ReplaceAll(one.value, " ", "_"), maxReason, "_") {
			return "", fmt.Errorf("%w: a status, an outcome and what is waited for are words of letters", ErrInvalidInput)
		}
		parts = append(parts, fmt.Sprintf("%s = '%s'", one.name, one.value))
	}
	if f.Limit < 0 || f.Limit > MaxList {
		return "", fmt.Errorf("%w: limit: want 1 to %d", ErrInvalidInput, MaxList)
	}
	if !f.Since.IsZero() {
		parts = append(parts, fmt.Sprintf("StartTime >= '%s'", f.Since.UTC().Format(time.RFC3339Nano)))
	}
	if !f.OverSince.IsZero() {
		// While a verification waits, the attribute may be empty, or absent.
		parts = append(parts, fmt.Sprintf("(CloseTime >= '%s' OR (ExecutionStatus = 'Running' AND %s))",
			f.OverSince.UTC().Format(time.RFC3339Nano), anyOf(AttributeOutcome, Outcomes())))
	}
	if f.Open {
		parts = append(parts, "ExecutionStatus = 'Running'")
	}
	if len(f.UserIDs) > 0 {
		ids := make([]string, len(f.UserIDs))
		for i, id := range f.UserIDs {
			if err := ValidateUserID(id); err != nil {
				return "", err
			}
			ids[i] = WorkflowID(id)
		}
		parts = append(parts, anyOf("WorkflowId", ids))
	}
	return strings.Join(parts, " AND "), nil
}

// Outcomes lists the outcomes.
func Outcomes() []Outcome {
	return []Outcome{
		OutcomeApproved, OutcomeDeclined, OutcomeExpired, OutcomeAbandoned, OutcomeLapsed, OutcomeFailed, OutcomeCancelled, OutcomeErased,
	}
}

// anyOf is the condition that an attribute has one of the values.
func anyOf[T ~string](attribute string, values []T) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = "'" + string(v) + "'"
	}
	return attribute + " IN (" + strings.Join(quoted, ", ") + ")"
}

// SummaryOf reads the summary of a run that Temporal lists or describes.
func SummaryOf(x *workflowpb.WorkflowExecutionInfo) Summary {
	attribute := func(name string) string { return attributeIn(x.GetSearchAttributes(), name) }
	s := Summary{
		UserID: strings.TrimPrefix(x.GetExecution().GetWorkflowId(), WorkflowID("")), RunID: x.GetExecution().GetRunId(),
		SessionID: attribute(AttributeSessionID), Status: didit.Status(attribute(AttributeStatus)), Outcome: Outcome(attribute(AttributeOutcome)),
		WaitingFor: WaitingFor(attribute(AttributeWaitingFor)), ErrorType: attribute(AttributeErrorType), StartedAt: x.GetStartTime().AsTime(),
	}
	if x.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		s.EndedAt, s.WaitingFor = x.GetCloseTime().AsTime(), ""
	}
	return s
}

// attributeIn is empty for a search attribute that is not set.
func attributeIn(a *commonpb.SearchAttributes, name string) (value string) {
	if json.Unmarshal(a.GetIndexedFields()[name].GetData(), &value) != nil {
		return ""
	}
	return value
}
