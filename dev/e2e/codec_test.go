package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/proto"

	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/kyc"
	"didit-temporal/kyc/codec"
)

func (s *system) setKeys(text string) {
	s.t.Helper()
	var err error
	s.keys, err = codec.ParseKeys(text)
	require.NoError(s.t, err)
}

// newKey makes a key as an operator does.
func newKey(t *testing.T, id string) string {
	t.Helper()
	entry, err := codec.Generate(id)
	require.NoError(t, err)
	return entry
}

// What an operator of Temporal, or a thief of its disk, must not read. Without keys all of it is there: else this test
// would search for what is never written.
func TestTheServerStoresNothingReadable(t *testing.T) {
	t.Parallel()
	for name, encrypted := range map[string]bool{"with a key": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := filepath.Join(t.TempDir(), "temporal.db")
			o := options{server: tserver.Options{DBFile: db}}
			if encrypted {
				o.payloadKeys = newKey(t, "a")
			}
			s := start(t, o)
			secrets := s.wholeLife("u1")

			runs := s.runs("u1")
			require.Len(t, runs, 2, "the verdict, and the change of mind")
			for _, x := range runs {
				for _, ev := range s.historyOf(x.GetExecution().GetWorkflowId(), x.GetExecution().GetRunId()) {
					wire, err := proto.Marshal(ev)
					require.NoError(t, err)
					for what, text := range secrets {
						require.False(t, encrypted && bytes.Contains(wire, []byte(text)), "%s of %s holds %s", ev.GetEventType(), x.GetExecution(), what)
					}
				}
			}
			s.stopWorker()
			s.stopWebhook()
			require.NoError(t, s.server.Stop())
			disk := contents(t, filepath.Dir(db))
			for what, text := range secrets {
				require.Equal(t, !encrypted, bytes.Contains(disk, []byte(text)), "the disk holds %s", what)
			}
			require.True(t, bytes.Contains(disk, []byte("kyc-u1")), "ids stay readable")
		})
	}
}

// wholeLife is a call that is tried again, a webhook, a verdict and a change of mind; it returns what was secret in it.
func (s *system) wholeLife(user string) map[string]string {
	s.t.Helper()
	s.sim.FailNext("POST", "/v3/session/", diditsim.Fault{Status: 429, Times: 1})
	began, err := s.Start(s.within(timeout), kyc.Input{UserID: user, ReturnURL: "https://shop.example/MARKER-return"})
	require.NoError(s.t, err)
	require.NotEmpty(s.t, began.Session.URL)
	s.open(began.Session.URL)
	s.status(user, didit.StatusInProgress)
	require.NoError(s.t, s.sim.SetStatus(began.Session.SessionID, didit.StatusApproved))
	require.Equal(s.t, kyc.OutcomeApproved, s.closed(user).Outcome)
	require.NoError(s.t, s.sim.SetStatus(began.Session.SessionID, didit.StatusDeclined))
	s.eventually(func() bool {
		state, err := s.State(s.within(timeout), user)
		return err == nil && state.Outcome == kyc.OutcomeDeclined
	}, "the change of mind")
	again := s.begin(user)
	require.False(s.t, again.New)
	require.Equal(s.t, kyc.OutcomeDeclined, again.State.Outcome)
	return map[string]string{
		"the URL": began.Session.URL, "the token": began.Session.SessionToken, "the return URL": "MARKER-return",
		"the message of a failure": didit.CauseLimit.Advice(), "a summary": "Create the session at Didit",
		"the details": "Gets the user a session at Didit", "a field of a message": "session_token",
	}
}

// contents reads a database with all that SQLite keeps beside it.
func contents(t *testing.T, dir string) (all []byte) {
	t.Helper()
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		require.NoError(t, err)
		all = append(all, text...)
	}
	require.NotEmpty(t, all)
	return all
}

// The documented order: the new key to the end everywhere, then to the beginning, then the old one away. Verifications
// wait for their users meanwhile, one started at each step; one is older than the keys.
func TestKeysAreReplacedUnderWay(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	a, b := newKey(t, "a"), newKey(t, "b")
	urls := map[string]string{"plain": s.begin("plain").Session.URL}
	for _, step := range []struct{ user, keys string }{{"first", a}, {"second", a + "," + b}, {"third", b + "," + a}} {
		s.replace(step.keys)
		urls[step.user] = s.begin(step.user).Session.URL
		s.open(urls[step.user])
		s.status(step.user, didit.StatusInProgress)
	}
	s.replace(a)
	early := s.begin("early").Session.URL
	s.press(early, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.result("early").Outcome)
	s.replace(b + "," + a)
	for user, url := range urls {
		require.Equal(t, url, s.begin(user).Session.URL, "%s: joined with the keys of today", user)
		s.press(url, "approve")
		require.Equal(t, kyc.OutcomeApproved, s.result(user).Outcome, user)
	}
	s.replace(b)
	_, err := s.State(s.within(timeout), "early")
	var unknown *codec.UnknownKeyError
	require.ErrorAs(t, err, &unknown, "the old key went too early")
	require.Equal(t, "a", unknown.ID)
	_, err = s.Timeline(s.within(timeout), "early")
	require.ErrorAs(t, err, &unknown, "a story with holes is no story")
	state, err := s.State(s.within(timeout), "third")
	require.NoError(t, err)
	require.Equal(t, kyc.OutcomeApproved, state.Outcome)
}

// replace restarts everybody with other keys.
func (s *system) replace(keys string) {
	s.t.Helper()
	s.setKeys(keys)
	s.stopWorker()
	s.stopWebhook()
	s.stopWebhook, s.stopWorker = s.startWebhook(), s.startWorker(s.o)
	s.Client = s.dial()
}

// A worker that was deployed without the key must not end a verification, nor lose what it is told meanwhile.
func TestAWorkerWithoutTheKeyMakesVerificationsWait(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	a := newKey(t, "a")
	s := start(t, options{payloadKeys: a})
	url := s.begin("u1").Session.URL
	s.open(url)
	s.status("u1", didit.StatusInProgress)

	s.stopWorker()
	s.setKeys(newKey(t, "b"))
	s.stopWorker = s.startWorker(s.o)
	s.press(url, "approve") // the webhook has the right key
	s.eventually(func() bool {
		desc, err := s.Temporal().DescribeWorkflow(s.within(timeout), kyc.WorkflowID("u1"), "")
		require.NoError(t, err)
		require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, desc.RawResponse.GetWorkflowExecutionInfo().GetStatus())
		return desc.RawResponse.GetPendingWorkflowTask().GetAttempt() >= 2
	}, "the workflow task is tried again")
	require.Equal(t, 0, s.sim.CallCount(diditsim.EndpointDecision, 200), "no person acted")

	s.stopWorker()
	s.setKeys(a)
	s.stopWorker = s.startWorker(s.o)
	require.Equal(t, kyc.OutcomeApproved, s.result("u1").Outcome)
	for _, ev := range s.history("u1") {
		if ev.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED {
			f := ev.GetWorkflowTaskFailedEventAttributes()
			require.Equal(t, enumspb.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE, f.GetCause())
			return
		}
	}
	t.Error("no workflow task failed")
}

func TestTheTimelineOfAnEncryptedFailure(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{workerKey: "a-key-of-nobody", payloadKeys: newKey(t, "a")})
	_, err := s.Start(s.within(timeout), kyc.Input{UserID: "u1"})
	require.ErrorContains(t, err, kyc.ErrorTypeUnauthorized)
	s.result("u1")
	story, err := s.Timeline(s.within(timeout), "u1")
	require.NoError(t, err)
	require.Contains(t, fmt.Sprint(story), didit.CauseKey.Advice())
	require.NotContains(t, fmt.Sprint(s.history("u1")), didit.CauseKey.Advice())
}

// The codec server as its own process, asked about a real history, the way the Web UI's pages ask.
func TestCodecServerShowsAHistory(t *testing.T) {
	t.Parallel()
	key := newKey(t, "a")
	s, starter := start(t, options{payloadKeys: key}), build(t, "starter")
	url := s.begin("u1").Session.URL
	at := codecServer(t, starter, "PAYLOAD_KEYS="+key, "CODEC_TOKENS="+codecToken, "CODEC_ORIGINS=http://ui.example")
	ask := func(headers ...string) (int, http.Header, string) {
		body, err := json.Marshal(&commonpb.Payloads{Payloads: payloadsOf(s.history("u1"))})
		require.NoError(t, err)
		require.NotContains(t, string(body), url)
		req, err := http.NewRequestWithContext(s.within(timeout), http.MethodPost, at+"/decode?preserveStorageRefs=true", bytes.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("X-Namespace", "default")
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, res.Header, string(text)
	}
	code, _, text := ask()
	require.Equal(t, http.StatusUnauthorized, code, text)
	code, header, _ := ask("Authorization", "Bearer "+codecToken, "Origin", "http://evil.example")
	require.Equal(t, http.StatusForbidden, code)
	require.Empty(t, header.Get("Access-Control-Allow-Origin"))
	code, header, text = ask("Authorization", "Bearer "+codecToken, "Origin", "http://ui.example")
	require.Equal(t, http.StatusOK, code, text)
	require.Equal(t, "http://ui.example", header.Get("Access-Control-Allow-Origin"))
	var shown commonpb.Payloads
	require.NoError(t, json.Unmarshal([]byte(text), &shown))
	var all []byte
	for _, p := range shown.Payloads {
		all = append(all, p.Data...)
	}
	require.Contains(t, string(all), url)
	require.Contains(t, string(all), "Verify user u1 at Didit")
}

const codecToken = "e2e-token-0123456789"

// codecServer runs `starter codec-server` until the test ends, and returns its address.
func codecServer(t *testing.T, bin string, env ...string) string {
	t.Helper()
	cmd := exec.Command(bin, "codec-server")
	cmd.Env = append(env, "CODEC_ADDR=127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		require.NoError(t, cmd.Wait(), errs.String())
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var line struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "codec server listens" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return "http://" + line.Address
		}
	}
	require.Fail(t, "the codec server did not start", errs.String())
	return ""
}

// payloadsOf finds the payloads that the Web UI would ask about.
func payloadsOf(events []*historypb.HistoryEvent) (all []*commonpb.Payload) {
	for _, ev := range events {
		all = append(all, ev.GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()...)
		all = append(all, ev.GetActivityTaskCompletedEventAttributes().GetResult().GetPayloads()...)
		if summary := ev.GetUserMetadata().GetSummary(); summary != nil {
			all = append(all, summary)
		}
	}
	return all
}
