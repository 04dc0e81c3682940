package scan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/kyc"
)

// A scanner that finds nothing has to show that it would: here every sink has a leak.
func TestTheScannerFindsLeaks(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	w := start(t, "")
	leak := marker("first_name") // has the form of a user id, so that the system itself carries it everywhere
	session := w.begin(leak)
	w.ask()
	w.cli("bulk", "-n", "1")
	w.moves(leak, didit.StatusInProgress, didit.StatusApproved)
	w.ends(leak, kyc.OutcomeApproved)
	w.cli("status", "--user", leak)
	for _, auth := range []string{bearer} {
		w.call(sink{name: "answer of the API"}, "GET", w.apiURL+"/"+leak, "", map[string]string{"Authorization": "Bearer " + auth})
	}
	w.plantByHand(session.Token)
	for _, p := range w.processes {
		_, _ = fmt.Fprintf(p.log, "planted %s\n", markedEmail)
	}
	w.keep(sink{name: "metrics of nobody", data: []byte(`kyc_made_up{user="` + leak + `"} 1`)})

	w.eventually(func() bool { // a process sends its traces when it gets to it
		sent := scan(w.gather(), w.needles())
		return slices.ContainsFunc(sent, func(f finding) bool { return strings.HasPrefix(f.sink, "traces of webhook") && f.class == "first_name" })
	}, "the webhook's traces")
	found := scan(w.gather(), w.needles())
	for _, want := range []struct {
		sink  string
		class class
	}{
		{"history of kyc-" + leak, "first_name"}, {"list entry of kyc-" + leak, "first_name"}, {"description of kyc-" + leak, "first_name"},
		{"history of planted", "address"}, {"list entry of planted", "phone"}, {"list entry of planted", classSession},
		{"description of planted", "document_number"}, {"history of planted", classAPIKey},
		{"log of worker", "email"}, {"log of webhook", "email"}, {"log of starter", "email"}, {"log of starter", "first_name"},
		{"file temporal.db", "address"}, {"command starter start", "first_name"}, {"command starter status", "first_name"},
		{"answer of the API", "first_name"}, {"result that was sent", "first_name"}, {"metrics of nobody", "first_name"},
		{"traces of webhook", "first_name"}, {"traces of worker", "first_name"},
	} {
		assert.True(t, slices.ContainsFunc(found, func(f finding) bool {
			return strings.HasPrefix(f.sink, want.sink) && f.class == want.class
		}), "%s in %s was not found", want.class, want.sink)
	}
}

// plantByHand starts a workflow that holds what none of ours would.
func (w *env) plantByHand(token string) {
	w.t.Helper()
	_, err := w.Temporal().ExecuteWorkflow(w.within(timeout), client.StartWorkflowOptions{
		ID: "planted", TaskQueue: "nobody-works-here", StaticSummary: marker("document_number"),
		Memo: map[string]any{"phone": markedPhone},
		TypedSearchAttributes: temporal.NewSearchAttributes(
			temporal.NewSearchAttributeKeyKeyword(kyc.AttributeStatus).ValueSet(token),
		),
	}, "Planted", marker("address"), converter.NewRawValue(&commonpb.Payload{Data: []byte(apiKey)}))
	require.NoError(w.t, err)
}
