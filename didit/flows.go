package didit

import (
	"cmp"
	"context"
	"net/http"
	"regexp"
	"strings"
)

// Flow is one version of a flow (Didit: workflow) that was built in the console.
type Flow struct {
	ID        string `json:"workflow_id"` // for CreateSessionRequest.WorkflowID; all versions share it
	VersionID string `json:"uuid"`
	Label     string `json:"workflow_label"`
	Kind      string `json:"workflow_type"` // such as kyc
	Status    string `json:"status"`        // draft or published; empty in Didit's older answer
	Version   int    `json:"version"`
	Default   bool   `json:"is_default"`
	Archived  bool   `json:"is_archived"`
}

// Usable reports whether sessions can be created with it: published, or from before versions, and not archived.
func (f Flow) Usable() bool { return !f.Archived && (f.Status == "" || f.Status == "published") }

// Flows returns the flows of the application, newest first, each version on its own
// (https://docs.didit.me/management-api/workflows/list).
func (c *Client) Flows(ctx context.Context) ([]Flow, error) {
	k := call{op: "list workflows", path: "/v3/workflows/"}
	return readList(ctx, c, k, func(f Flow) (Flow, error) { return f.checked(k.op) })
}

// CreateFlowRequest describes a flow of steps in their order.
type CreateFlowRequest struct {
	Label    string    `json:"workflow_label,omitempty"` // at most 50 characters
	Features []Feature `json:"features"`
}

// Feature is a step of a flow, by Didit's name for it, such as OCR, LIVENESS, FACE_MATCH, AML or KYB_REGISTRY.
type Feature struct {
	Name string `json:"feature"`
}

// CreateFlow creates a flow and publishes it (https://docs.didit.me/management-api/workflows/create). Each call creates
// another one, 50 at most: after an error that is not an *APIError, list the flows before calling again.
func (c *Client) CreateFlow(ctx context.Context, r CreateFlowRequest) (Flow, error) {
	k := call{
		op: "create workflow", method: http.MethodPost, path: "/v3/workflows/", body: r,
		success: []int{http.StatusCreated, http.StatusOK},
	}
	if len(r.Features) == 0 {
		k.invalid = "no features"
	}
	f, err := send[Flow](ctx, c, k)
	if err != nil {
		return Flow{}, err
	}
	return f.checked(k.op)
}

// checked wants an id. An older answer has one id for the flow and its version.
func (f Flow) checked(op string) (Flow, error) {
	f.ID = cmp.Or(f.ID, f.VersionID)
	if !isToken(f.ID) {
		return f, badResponse(op, "a workflow without a usable id")
	}
	return f, nil
}

// Balance is the credit of an account in US dollars, as the decimal strings that Didit sends.
type Balance struct {
	Amount          string
	AutoRefill      bool
	RefillAmount    string // empty if there is none
	RefillThreshold string // empty if there is none
}

var decimal = regexp.MustCompile(`^-?[0-9]{1,20}(\.[0-9]{1,20})?$`)

// amount reads a decimal, which Didit sends as a string, or a number.
type amount string

func (a *amount) UnmarshalJSON(b []byte) error {
	if text := strings.Trim(string(b), `"`); decimal.MatchString(text) {
		*a = amount(text)
	}
	return nil
}

// Balance returns the remaining credit (https://docs.didit.me/management-api/billing/balance).
func (c *Client) Balance(ctx context.Context) (Balance, error) {
	const op = "balance"
	w, err := send[struct {
		Amount     amount `json:"balance"`
		AutoRefill bool   `json:"auto_refill_enabled"`
		Refill     amount `json:"auto_refill_amount"`
		Threshold  amount `json:"auto_refill_threshold"`
	}](ctx, c, call{op: op, path: "/v3/billing/balance/"})
	if err == nil && w.Amount == "" {
		err = badResponse(op, "no balance")
	}
	if err != nil {
		return Balance{}, err
	}
	return Balance{
		Amount: string(w.Amount), AutoRefill: w.AutoRefill, RefillAmount: string(w.Refill), RefillThreshold: string(w.Threshold),
	}, nil
}

// Health calls Didit's health check (GET /system/healthcheck of https://docs.didit.me/openapi-25.json). It does not check
// the API key.
func (c *Client) Health(ctx context.Context) error {
	const op = "health"
	w, err := send[struct {
		Status string `json:"status"`
	}](ctx, c, call{op: op, path: "/system/healthcheck", noKey: true})
	if err == nil && w.Status != "ok" {
		err = badResponse(op, "not ok")
	}
	return err
}
