package e2e

import (
	"flag"
	"os"
	"path/filepath"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/protobuf/proto"

	"didit-temporal/kyc"
)

var recording = flag.Bool("record", false, "add the histories of these tests to workflows/testdata/history")

// record keeps the history of the user's newest run for the replay test. A history that exists is never replaced: it
// stands for runs that are still open somewhere.
func (s *system) record(user, name string) {
	s.t.Helper()
	s.recordRun(kyc.WorkflowID(user), name)
}

func (s *system) recordRun(workflowID, name string) {
	s.t.Helper()
	s.recordRunOf(workflowID, "", name)
}

func (s *system) recordRunOf(workflowID, runID, name string) {
	s.t.Helper()
	if !*recording {
		return
	}
	file := filepath.Join("..", "..", "workflows", "testdata", "history", name+".json")
	if _, err := os.Stat(file); err == nil {
		s.t.Logf("%s is there already", file)
		return
	}
	text, err := temporalproto.CustomJSONMarshalOptions{Indent: " "}.Marshal(&historypb.History{Events: s.historyOf(workflowID, runID)})
	require.NoError(s.t, err)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(s.t, os.WriteFile(file, append(text, '\n'), 0o644))
}

func size(events []*historypb.HistoryEvent) (n int) {
	for _, ev := range events {
		n += proto.Size(ev)
	}
	return n
}

// finds reports whether the visibility store has a workflow of the query.
func (s *system) finds(query string) bool {
	s.t.Helper()
	return s.count(query) > 0
}

func (s *system) count(query string) int {
	s.t.Helper()
	res, err := s.Temporal().ListWorkflow(s.within(timeout), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
	require.NoError(s.t, err)
	return len(res.GetExecutions())
}
