package didit

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// Flow is one version of a flow (Didit: workflow) that was built in the console.
type Flow struct {
	ID        string // for CreateSessionRequest.WorkflowID; all versions share it
	VersionID string
	Label     string
	Kind      string // such as kyc
	Status    string // draft or published; empty in Didit's older answer
	Version   int
	Default   bool
	Archived  bool
}

// Usable reports whether sessions can be made with it: published, or from before versions, and not archived.
func (f Flow) Usable() bool { return !f.Archived && (f.Status == "" || f.Status == "published") }

// Flows returns the flows of the application, newest first, each version on its own
// (https://docs.didit.me/management-api/workflows/list).
func (c *Client) Flows(ctx context.Context) ([]Flow, error) {
	const op = "list workflows"
	items, err := c.items(ctx, op, "/v3/workflows/")
	if err != nil {
		return nil, err
	}
	return each(op, items, func(w wireFlow) (Flow, error) { return w.flow(op) })
}

// CreateFlowRequest makes a flow of steps in their order.
type CreateFlowRequest struct {
	Label    string    `json:"workflow_label,omitempty"` // at most 50 characters
	Features []Feature `json:"features"`
}

// Feature is a step of a flow, by Didit's name for it, such as OCR, LIVENESS, FACE_MATCH, AML or KYB_REGISTRY.
type Feature struct {
	Name string `json:"feature"`
}

// CreateFlow makes a flow and publishes it (https://docs.didit.me/management-api/workflows/create). Each call makes another one, 50
// at most: after an error that is not an *APIError, list the flows before calling again.
func (c *Client) CreateFlow(ctx context.Context, r CreateFlowRequest) (Flow, error) {
	k := call{op: "create workflow", method: http.MethodPost, path: "/v3/workflows/", body: r, success: []int{http.StatusCreated, http.StatusOK}}
	if len(r.Features) == 0 {
		return Flow{}, fmt.Errorf("%w: %s: no features", ErrInvalidArgument, k.op)
	}
	body, err := c.do(ctx, k)
	if err != nil {
		return Flow{}, err
	}
	var w wireFlow
	if err := decode(k.op, body, &w); err != nil {
		return Flow{}, err
	}
	return w.flow(k.op)
}

type wireFlow struct {
	VersionID string `json:"uuid"`
	ID        string `json:"workflow_id"` // missing in an older answer
	Label     string `json:"workflow_label"`
	Kind      string `json:"workflow_type"`
	Status    string `json:"status"`
	Version   int    `json:"version"`
	Default   bool   `json:"is_default"`
	Archived  bool   `json:"is_archived"`
}

func (w wireFlow) flow(op string) (Flow, error) {
	f := Flow{
		ID: cmp.Or(w.ID, w.VersionID), VersionID: w.VersionID, Label: w.Label, Kind: w.Kind,
		Status: w.Status, Version: w.Version, Default: w.Default, Archived: w.Archived,
	}
	if !isToken(f.ID) {
		return f, badResponse(op, "a workflow without a usable id")
	}
	return f, nil
}

// Balance is what an account may still spend, in the decimal strings that Didit sends, in US dollars.
type Balance struct {
	Amount          string
	AutoRefill      bool
	RefillAmount    string // empty if there is none
	RefillThreshold string // empty if there is none
}

var decimal = regexp.MustCompile(`^-?[0-9]{1,20}(\.[0-9]{1,20})?$`)

// amount reads a decimal, which Didit sends as a string. A number does as well.
type amount string

func (a *amount) UnmarshalJSON(b []byte) error {
	if text := strings.Trim(string(b), `"`); decimal.MatchString(text) {
		*a = amount(text)
	}
	return nil
}

// Balance tells how much credit is left (https://docs.didit.me/management-api/billing/balance).
func (c *Client) Balance(ctx context.Context) (Balance, error) {
	k := call{op: "balance", method: http.MethodGet, path: "/v3/billing/balance/", success: []int{http.StatusOK}}
	body, err := c.do(ctx, k)
	if err != nil {
		return Balance{}, err
	}
	var w struct {
		Amount     amount `json:"balance"`
		AutoRefill bool   `json:"auto_refill_enabled"`
		Refill     amount `json:"auto_refill_amount"`
		Threshold  amount `json:"auto_refill_threshold"`
	}
	if err := decode(k.op, body, &w); err != nil {
		return Balance{}, err
	}
	if w.Amount == "" {
		return Balance{}, badResponse(k.op, "no balance")
	}
	return Balance{
		Amount: string(w.Amount), AutoRefill: w.AutoRefill, RefillAmount: string(w.Refill), RefillThreshold: string(w.Threshold),
	}, nil
}

// Health asks Didit whether it is well (GET /system/healthcheck of https://docs.didit.me/openapi-25.json). It says nothing of
// the API key, which is not looked at.
func (c *Client) Health(ctx context.Context) error {
	k := call{op: "health", method: http.MethodGet, path: "/system/healthcheck", success: []int{http.StatusOK}, open: true}
	body, err := c.do(ctx, k)
	if err != nil {
		return err
	}
	var w struct {
		Status string `json:"status"`
	}
	if err := decode(k.op, body, &w); err != nil {
		return err
	}
	if w.Status != "ok" {
		return badResponse(k.op, "not ok")
	}
	return nil
}
