package scan

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"
)

// secretly is what a store of Temporal's may hold: the session's URL and token, unless there are keys that encrypt them.
func (w *env) secretly() []class {
	if w.keys == "" {
		return []class{classSession}
	}
	return nil
}

// gather returns everything that outlives a request.
func (w *env) gather() []sink {
	w.t.Helper()
	w.mu.Lock()
	all := append([]sink{}, w.sinks...)
	w.mu.Unlock()
	all = append(all, w.stored()...)
	for _, p := range w.processes {
		all = append(all, sink{name: "log of " + p.name, data: p.log.bytes()})
	}
	all = append(all, sink{name: "log of Temporal", data: []byte(w.server.Log())})
	for process, address := range w.metrics {
		if data := w.scrape(address); data != nil {
			all = append(all, sink{name: "metrics of " + process, data: data})
		}
	}
	// The write-ahead log has what was deleted until the server stops.
	return append(all, w.files("at work", append(w.secretly(), classErased)...)...)
}

// files are those of Temporal's database.
func (w *env) files(when string, may ...class) (all []sink) {
	w.t.Helper()
	for _, file := range []string{"", "-wal", "-shm"} {
		all = append(all, sink{name: "file " + filepath.Base(w.db) + file + " " + when, data: read(w.t, w.db+file), may: may})
	}
	return all
}

// stored is all that Temporal's API shows of all namespaces: histories, and what lists and descriptions show.
func (w *env) stored() (all []sink) {
	w.t.Helper()
	ctx := w.within(timeout)
	spaces, err := w.Temporal().WorkflowService().ListNamespaces(ctx, &workflowservice.ListNamespacesRequest{PageSize: 100})
	require.NoError(w.t, err)
	for _, space := range spaces.GetNamespaces() {
		name := space.GetNamespaceInfo().GetName()
		all = append(all, sink{name: "namespace " + name, data: w.wire(space)})
		var token []byte
		for first := true; first || len(token) > 0; first = false {
			page, err := w.Temporal().WorkflowService().ListWorkflowExecutions(ctx, &workflowservice.ListWorkflowExecutionsRequest{
				Namespace: name, PageSize: 200, NextPageToken: token,
			})
			require.NoError(w.t, err)
			for _, x := range page.GetExecutions() {
				all = append(all, sink{name: "list entry of " + x.GetExecution().GetWorkflowId(), data: w.wire(x)})
				all = append(all, w.run(name, x.GetExecution())...)
			}
			token = page.GetNextPageToken()
		}
	}
	return all
}

// run is the history and the description of one run.
func (w *env) run(space string, x *commonpb.WorkflowExecution) (all []sink) {
	w.t.Helper()
	ctx := w.within(timeout)
	about, err := w.Temporal().WorkflowService().DescribeWorkflowExecution(ctx, &workflowservice.DescribeWorkflowExecutionRequest{Namespace: space, Execution: x})
	require.NoError(w.t, err)
	all = append(all, sink{name: "description of " + x.GetWorkflowId(), data: w.wire(about), may: w.secretly()})
	var token []byte
	for first := true; first || len(token) > 0; first = false {
		page, err := w.Temporal().WorkflowService().GetWorkflowExecutionHistory(ctx, &workflowservice.GetWorkflowExecutionHistoryRequest{
			Namespace: space, Execution: x, NextPageToken: token, HistoryEventFilterType: enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT,
		})
		require.NoError(w.t, err)
		for _, ev := range page.GetHistory().GetEvents() {
			all = append(all, sink{
				name: fmt.Sprintf("history of %s, event %d, %s", x.GetWorkflowId(), ev.GetEventId(), ev.GetEventType()), data: w.wire(ev), may: w.secretly(),
			})
		}
		token = page.GetNextPageToken()
	}
	return all
}

func (w *env) wire(m proto.Message) []byte {
	w.t.Helper()
	b, err := proto.Marshal(m)
	require.NoError(w.t, err)
	return b
}

// scrape reads the metrics of a process, where it has any.
func (w *env) scrape(address string) []byte {
	client := http.Client{Timeout: 5 * time.Second}
	res, err := client.Get("http://" + address + "/metrics")
	if err != nil {
		return nil
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	return b
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
	return b
}
