package didit_test

import (
	"fmt"
	"net/http"
	"time"

	"didit-temporal/didit"
)

func ExampleVerifier_Verify() {
	verifier, err := didit.NewVerifier(didit.VerifierOptions{
		Secrets: []string{"the destination's secret", "its secret before the last rotation"},
		Now:     func() time.Time { return time.Unix(1795000010, 0) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	body := []byte(`{"session_id":"s1","status":"Approved","timestamp":1795000001,"vendor_data":"user-0001","webhook_type":"status.updated"}`)
	header := http.Header{}
	header.Set(didit.HeaderSignature, didit.Sign("the destination's secret", body))

	event, err := verifier.Verify(header, body)
	fmt.Println(event.VendorData, event.Status, err)

	body[len(body)-20] ^= 1
	_, err = verifier.Verify(header, body)
	fmt.Println(err)
	// Output:
	// user-0001 Approved <nil>
	// didit: webhook signature does not match
}
