package diditsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"didit-temporal/didit"
)

const (
	// workflowVersion is the version of every simulated flow; none is published again.
	workflowVersion = 1
	maxWorkflows    = 50
	maxLabel        = 50
	// defaultFlow is listed where every UUID is a flow.
	defaultFlow = "00000000-0000-4000-8000-00000000f10f"
)

// flow is what Didit calls a workflow: steps in their order.
type flow struct {
	app      *application
	id       string
	label    string
	status   string // published or draft
	standard bool
	steps    []*step
}

func newFlow(id string) *flow {
	return &flow{id: strings.ToLower(id), label: "Simulated KYC", status: "published", steps: stepsOf("OCR", "LIVENESS", "FACE_MATCH")}
}

// business reports whether the flow verifies companies.
func (f *flow) business() bool {
	return slices.ContainsFunc(f.steps, func(p *step) bool { return strings.HasPrefix(p.short, "KYB") })
}

func (f *flow) kind() string {
	if f.business() {
		return "business"
	}
	return "user"
}

// step returns the step of a node or of a feature, nil if there is none.
func (f *flow) step(name string) *step {
	i := slices.IndexFunc(f.steps, func(p *step) bool { return p.nodeID == name || p.short == name })
	if i < 0 {
		return nil
	}
	return f.steps[i]
}

// flowsOf returns the flows of an application. It needs s.mu.
func (s *Server) flowsOf(app *application) []*flow {
	return slices.DeleteFunc(slices.Clone(s.flows), func(f *flow) bool { return f.app != app })
}

// find finds the flow of an id, nil if there is none. It needs s.mu.
func (s *Server) find(app *application, id string) *flow {
	for _, f := range s.flowsOf(app) {
		if strings.EqualFold(f.id, id) {
			return f
		}
	}
	return nil
}

// flow finds a published flow, nil if there is none. Without Options.WorkflowIDs every UUID is one. It needs s.mu.
func (s *Server) flow(app *application, id string) *flow {
	if f := s.find(app, id); f != nil && f.status == "published" {
		return f
	}
	if len(s.opts.WorkflowIDs) > 0 {
		return nil
	}
	return newFlow(id)
}

// listWorkflows is GET /v3/workflows/ (https://docs.didit.me/management-api/workflows/list).
func (s *Server) listWorkflows(app *application, r *http.Request, _ []byte) *answer {
	return paginate(r, s.flowsOf(app), 50, (*flow).shown)
}

func (f *flow) shown() map[string]any {
	names := make([]string, len(f.steps))
	for i, p := range f.steps {
		names[i] = p.short
	}
	kind := "kyc"
	if f.business() {
		kind = "kyb"
	}
	return map[string]any{
		"uuid": f.id, "workflow_id": f.id, "workflow_label": f.label, "workflow_type": kind, "version": workflowVersion,
		"status": f.status, "is_default": f.standard, "is_archived": false, "is_editable": false, "has_draft": f.status == "draft",
		"features": strings.Join(names, " + "), "total_price": 0.15, "max_retry_attempts": 3,
		"session_expiration_time": int(lifetime.Seconds()), "created_by": nil,
	}
}

// workflowBody is the body of a creation and of a change.
type workflowBody struct {
	Label    string            `json:"workflow_label"`
	Features []json.RawMessage `json:"features"`
	Standard bool              `json:"is_default"`
	Status   string            `json:"status"`

	// These are accepted and have no effect.
	WhiteLabel *bool    `json:"is_white_label_enabled"`
	Desktop    *bool    `json:"is_desktop_allowed"`
	Retries    *float64 `json:"max_retry_attempts"`
	Window     *float64 `json:"retry_window_days"`
	Expiration *float64 `json:"session_expiration_time"`
}

// createWorkflow is POST /v3/workflows/. As at Didit, each call creates another one, 50 at most.
func (s *Server) createWorkflow(app *application, _ *http.Request, body []byte) *answer {
	f := newFlow(uuid.NewString())
	f.app, f.label = app, "Workflow"
	if len(s.flowsOf(f.app)) >= maxWorkflows {
		return detail(http.StatusBadRequest, "Maximum number of workflows reached.")
	}
	if no := f.update(body, true); no != nil {
		return no
	}
	s.flows = append(s.flows, f)
	return created(f.shown())
}

// flowOf finds the flow of a path.
func (s *Server) flowOf(app *application, r *http.Request) *flow {
	return s.find(app, r.PathValue("id"))
}

// updateWorkflow is PATCH /v3/workflows/{uuid}/: features are replaced and not merged.
func updateWorkflow(f *flow, _ *http.Request, body []byte) *answer {
	if no := f.update(body, false); no != nil {
		return no
	}
	return ok(f.shown())
}

// deleteWorkflow is DELETE /v3/workflows/{uuid}/. Its sessions remain.
func (s *Server) deleteWorkflow(f *flow, _ *http.Request, _ []byte) *answer {
	s.flows = without(s.flows, f)
	return deleted()
}

// update changes f as the body says, or returns why not. It refuses unknown fields.
func (f *flow) update(body []byte, all bool) *answer {
	b := workflowBody{Label: f.label, Standard: f.standard, Status: f.status}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return invalid(te.Field, "Not a valid value.")
		}
		return detail(http.StatusBadRequest, "Unknown field, or not JSON.")
	}
	switch {
	case all && len(b.Features) == 0:
		return invalid("features", "This field is required.")
	case len(b.Label) > maxLabel:
		return invalid("workflow_label", "Ensure this field has no more than 50 characters.")
	case b.Status != "draft" && b.Status != "published":
		return invalid("status", notAChoice(b.Status))
	}
	steps, no := readSteps(b.Features)
	if no != nil {
		return no
	}
	if steps != nil {
		f.steps = steps
	}
	f.label, f.standard, f.status = b.Label, b.Standard, b.Status
	return nil
}

func readSteps(features []json.RawMessage) ([]*step, *answer) {
	var steps []*step
	for _, raw := range features {
		var item struct {
			Feature string `json:"feature"`
		}
		if json.Unmarshal(raw, &item) != nil {
			return nil, invalid("features", []string{"Each workflow feature must be an object."})
		}
		found := stepsOf(item.Feature)
		if found == nil {
			return nil, invalid("features", map[string][]string{"feature": {notAChoice(item.Feature)}})
		}
		steps = append(steps, found...)
	}
	return steps, nil
}

// node is a step that is to be repeated: its id, or an object with its feature too.
type node didit.Node

func (n *node) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &n.NodeID) == nil {
		return nil
	}
	return json.Unmarshal(b, (*didit.Node)(n))
}
