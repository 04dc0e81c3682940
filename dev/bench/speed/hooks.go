package speed

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"didit-temporal/dev/bench/testbed"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
)

// body is a webhook of Didit's about a verification, padded to a size if it is smaller.
func body(v diditsim.Session, status didit.Status, size int, now int64) []byte {
	event := map[string]any{
		"event_id": uuid.NewString(), "webhook_type": didit.EventStatusUpdated, "created_at": now, "timestamp": now,
		"application_id": "00000000-0000-4000-8000-00000000d1d1", "environment": didit.EnvironmentLive, "session_id": v.ID,
		"session_kind": "user", "status": status, "workflow_id": testbed.Flow, "workflow_version": 1, "vendor_data": v.VendorData,
		"metadata": v.Metadata,
	}
	b, _ := json.Marshal(event) // strings and numbers only
	if spare := size - len(b); spare > 0 {
		event["decision"] = decision(spare)
		b, _ = json.Marshal(event)
	}
	return b
}

// decision has the form of one, and about the size: objects of short strings, numbers and lists.
func decision(size int) any {
	var checks []any
	for n := 0; n < size-300; n += 270 {
		checks = append(checks, map[string]any{
			"node_id": "feature_ocr", "status": "Approved", "score": 98.5, "document_type": "Identity Card", "issuing_state": "ESP",
			"first_name": "Elena", "last_name": "Martínez Sánchez", "warnings": []any{}, "extra": map[string]any{"n": n, "ok": true, "none": nil},
			"front_image": "https://media.example/" + strconv.Itoa(n),
		})
	}
	return map[string]any{"id_verifications": checks}
}

// hook is the request that brings a body, signed in all ways that Didit does.
func hook(url string, body []byte, now int64) (request, error) {
	v2, err := didit.SignV2(testbed.Secret, body)
	if err != nil {
		return request{}, err
	}
	return request{url: url, body: body, want: []int{http.StatusOK}, header: http.Header{
		"Content-Type": {"application/json"}, "X-Signature": {didit.Sign(testbed.Secret, body)}, "X-Signature-V2": {v2},
		"X-Timestamp": {strconv.FormatInt(now, 10)},
	}}, nil
}

// waits is what webhooks say of users who still have to act. Didit must say it too, or each webhook contradicts it and leads to reads.
const waits = didit.StatusInProgress

// hooks are n signed requests about verifications, in turns, of at least a size.
func hooks(url string, about []diditsim.Session, status didit.Status, n, size int) ([]request, error) {
	all, now := make([]request, n), time.Now().Unix()
	for i := range all {
		var err error
		if all[i], err = hook(url, body(about[i%len(about)], status, size, now), now); err != nil {
			return nil, err
		}
	}
	return all, nil
}
