package didit

import (
	"encoding/json"
	"time"
)

// CreateSessionRequest is the body of POST /v3/session/ (https://docs.didit.me/sessions-api/create-session).
// The fields that carry personal data (contact_details, expected_details, portrait_image) are left out on purpose.
type CreateSessionRequest struct {
	// WorkflowID is the id of the flow that is built in Didit's console. Required.
	WorkflowID string `json:"workflow_id"`
	// VendorData is our id of the user. Didit returns an unfinished session of the same VendorData instead of a new one.
	VendorData string `json:"vendor_data,omitempty"`
	// Callback is where Didit sends the browser after the flow. It is not a webhook and proves nothing.
	Callback string `json:"callback,omitempty"`
	// Language of the hosted page, such as "en" or "pt-BR"; empty takes the browser's.
	Language string `json:"language,omitempty"`
	// Metadata is any JSON; webhooks and decisions repeat it.
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// Session is the answer to CreateSession. URL and Token are secrets that allow to act as the user: never log them.
type Session struct {
	ID         string          `json:"session_id"`
	Number     int64           `json:"session_number"`
	Token      string          `json:"session_token"`
	URL        string          `json:"url"`
	VendorData string          `json:"vendor_data"`
	Status     Status          `json:"status"`
	WorkflowID string          `json:"workflow_id"`
	Metadata   json.RawMessage `json:"metadata"`
}

// Decision is what we read of GET /v3/session/{id}/decision/ (https://docs.didit.me/sessions-api/retrieve-session).
// Names, dates, documents and images in Didit's answer are not decoded.
type Decision struct {
	SessionID   string          `json:"session_id"`
	SessionURL  string          `json:"session_url"`
	Status      Status          `json:"status"`
	WorkflowID  string          `json:"workflow_id"`
	VendorData  string          `json:"vendor_data"`
	Environment Environment     `json:"environment"`
	Metadata    json.RawMessage `json:"metadata"`
	CreatedAt   time.Time       `json:"created_at"` // zero if Didit sent none
	ExpiresAt   time.Time       `json:"expires_at"` // zero if Didit sent none
	Checks      []Check         `json:"-"`          // in the order of the API reference; one per entry of each feature block that has run
	Warnings    []string        `json:"-"`          // risk codes of all checks, such as POSSIBLE_FRAUD: sorted, no repeats
}

// Check is the result of one feature of the flow.
type Check struct {
	Feature string // such as ID_VERIFICATION, LIVENESS, FACE_MATCH, AML
	Status  string // such as Not Finished, Approved, Declined, In Review, Resub Requested (AML)
}

// Kind is what a session verifies.
type Kind string

// The kinds. KindAll filters a list and is no session's.
const (
	KindUser     Kind = "user"
	KindBusiness Kind = "business"
	KindAll      Kind = "all"
)

// ListSessionsRequest filters GET /v3/sessions/ (https://docs.didit.me/sessions-api/list-sessions). What is empty does
// not filter.
type ListSessionsRequest struct {
	VendorData string
	Statuses   []Status // any of them
	WorkflowID string
	Kind       Kind      // empty is KindAll
	Search     string    // in the fields that Didit searches; put no personal data into it
	From, To   time.Time // days of creation in UTC, both inclusive
	Limit      int       // 0 leaves it to Didit (20)
	Offset     int
}

// SessionPage is one page of ListSessions. Count is exact only up to 100: read on while More.
type SessionPage struct {
	Count    int
	More     bool
	Sessions []SessionSummary
}

// SessionSummary is an item of SessionPage.
type SessionSummary struct {
	ID         string    `json:"session_id"`
	Number     int64     `json:"session_number"`
	Kind       Kind      `json:"session_kind"` // empty if Didit did not say
	Status     Status    `json:"status"`
	VendorData string    `json:"vendor_data"`
	WorkflowID string    `json:"workflow_id"` // empty if Didit did not say
	CreatedAt  time.Time `json:"created_at"`
}

// UpdateStatusRequest is the body of PATCH /v3/session/{id}/update-status/ (https://docs.didit.me/sessions-api/update-status).
type UpdateStatusRequest struct {
	// NewStatus is StatusApproved, StatusDeclined or StatusResubmitted; Didit refuses all others.
	NewStatus Status `json:"new_status"`
	Comment   string `json:"comment,omitempty"`
	// NodesToResubmit chooses the steps that the user repeats; empty lets Didit choose the failed ones.
	NodesToResubmit []Node `json:"nodes_to_resubmit,omitempty"`
}

// Node names a step of a flow.
type Node struct {
	NodeID  string `json:"node_id"`
	Feature string `json:"feature"`
}

// DeletionInstruction is how much Didit deletes (https://docs.didit.me/sessions-api/delete-session).
type DeletionInstruction string

// The two instructions; the first is Didit's default.
const (
	DeleteOperational    DeletionInstruction = "operational_session_delete"
	DeletePrivacyErasure DeletionInstruction = "privacy_erasure"
)

// DeleteSessionRequest is the body of DELETE /v3/session/{id}/delete/.
type DeleteSessionRequest struct {
	Instruction DeletionInstruction `json:"deletion_instruction,omitempty"`
	// RetainFaceEmbeddings is nil for Didit's default.
	RetainFaceEmbeddings *bool `json:"retain_face_embeddings,omitempty"`
	// FaceRetentionDays is for how long a face is retained, 1 to 3650; 0 is Didit's default.
	FaceRetentionDays int `json:"face_retention_days,omitempty"`
	// InstructionID is our id of this deletion.
	InstructionID string `json:"instruction_id,omitempty"`
}
