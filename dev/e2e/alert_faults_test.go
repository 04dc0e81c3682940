package e2e

import (
	"errors"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"didit-temporal/didit"
	"didit-temporal/didit/diditsim"
	"didit-temporal/internal/config"
	"didit-temporal/internal/ops"
	"didit-temporal/kyc"
	"didit-temporal/webhook/receiver"
)

// fault makes an alert fire. What plant returns mends it.
type fault struct {
	alert, what string
	plant       func(*watched) (fix func())
}

var faults = []fault{
	{"KycDiditRefuses", "", func(w *watched) func() {
		w.fail(diditsim.Fault{Status: http.StatusUnauthorized, Times: 10})
		w.users(10)
		return func() {}
	}},
	{"KycDiditFails", "", func(w *watched) func() {
		w.fail(diditsim.Fault{Status: http.StatusServiceUnavailable, Times: 12})
		w.users(12)
		return w.sim.ClearFaults
	}},
	{"KycRateLimited", "", func(w *watched) func() { // all are under way before the first is refused, and the others are held back
		w.fail(diditsim.Fault{Status: http.StatusTooManyRequests, Times: 20, Delay: 500 * time.Millisecond, Header: http.Header{"Retry-After": {"1"}}})
		w.users(20)
		return w.sim.ClearFaults
	}},
	{"KycQueuePaused", "", func(w *watched) func() {
		w.limit(kyc.TaskQueueDiditWrite, 0)
		return func() { w.limit(kyc.TaskQueueDiditWrite, 100) }
	}},
	{"KycUsersWaitLong", "", func(w *watched) func() {
		w.limit(kyc.TaskQueueDiditWrite, 0.05)
		w.users(20)
		return func() { w.limit(kyc.TaskQueueDiditWrite, 100) }
	}},
	{"KycWebhooksLost", "", (*watched).loseWebhooks},
	{"KycReviewsStuck", "three days later", func(w *watched) func() {
		user := w.fresh()
		w.press(w.begin(user).Session.URL, "review")
		w.status(user, didit.StatusInReview)
		return func() { w.move(user, didit.StatusApproved) }
	}},
	{"KycNeedsOperator", "", (*watched).loseSession},
	{"KycCallbacksFail", "", func(w *watched) func() {
		w.signup.answers(down)
		stop := w.again(func() {
			if began, err := w.Start(w.t.Context(), kyc.Input{UserID: w.fresh()}); err == nil {
				_ = w.sim.SetStatus(began.Session.SessionID, didit.StatusInProgress)
				_ = w.sim.SetStatus(began.Session.SessionID, didit.StatusApproved)
			}
		})
		return func() { w.signup.answers(nil); stop() }
	}},
	{"KycNoWebhooks", "", (*watched).loseWebhooks},
	{"KycWebhooksRefused", "a secret that was changed on one side", func(w *watched) func() {
		return w.again(func() { w.send("another secret", foreignEvent("somebody")) })
	}},
	{"KycWebhooksRefused", "a list of senders that leaves Didit out", func(w *watched) func() {
		return w.otherWebhook(func(cfg *config.Webhook) { cfg.AllowFrom = []netip.Prefix{netip.MustParsePrefix("18.203.201.92/32")} })
	}},
	{"KycWebhooksRefused", "bodies that no proxy should have touched", func(w *watched) func() {
		return w.again(func() { w.send(secret, "[1]") })
	}},
	{"KycWebhooksRefused", "a webhook of the other environment", func(w *watched) func() { return w.otherWebhook(sandbox) }},
	{"KycSweepsFail", "", (*watched).refuseSweeps},
	{"KycCodecGuessed", "", func(w *watched) func() {
		return w.again(func() {
			for range 10 {
				w.guess("a token that was replaced")
			}
		})
	}},
	{"KycSettingsDiffer", "", func(w *watched) func() { return w.otherWebhook(sandbox) }},
	{"KycSettingsDiffer", "a webhook of another deployment", func(w *watched) func() {
		return w.otherWebhook(func(cfg *config.Webhook) { cfg.Deployment = "staging" })
	}},
	{"KycWebhooksMisrouted", "", func(w *watched) func() {
		wrong := strings.TrimSuffix(w.webhookURL, receiver.Path) + "/webhook/didit"
		return w.again(func() { w.sendTo(wrong, secret, foreignEvent("somebody")) })
	}},
	{"KycWebhookSlow", "", (*watched).slowDown},
	{"KycWebhookDown", "", func(w *watched) func() {
		w.end("webhook", w.stopWebhook)
		return func() { w.backAgain("webhook", func() { w.stopWebhook = w.startWebhook() }) }
	}},
	// One that lives and does not poll is reported after five minutes, for so long Temporal remembers who polled: rules_test.yml.
	{"KycNobodyWorks", "the process is gone", func(w *watched) func() {
		w.end("worker", w.stopWorker)
		return w.rightWorker
	}},
	{"KycNonDeterminism", "", func(w *watched) func() {
		user := w.fresh()
		w.begin(user)
		stop := w.wrongWorker(func(ctx workflow.Context, _ kyc.Input) error { return workflow.Sleep(ctx, time.Hour) })
		w.move(user, didit.StatusInProgress)
		return func() {
			stop()
			w.rightWorker()
			w.status(user, didit.StatusInProgress) // it was not harmed
		}
	}},
	{"KycWorkflowTasksFail", "", func(w *watched) func() {
		stop := w.wrongWorker(func(workflow.Context, kyc.Input) error { panic("a fault in the code") })
		stopUsers := w.again(func() { w.users(1) })
		return func() {
			stopUsers()
			stop()
			w.rightWorker()
		}
	}},
	{"KycWebhookFails", "", func(w *watched) func() {
		require.NoError(w.t, w.server.Kill())
		stop := w.again(func() { w.send(secret, foreignEvent("somebody")) })
		return func() {
			require.NoError(w.t, w.server.Restart(w.within(alertPatience)))
			stop()
		}
	}},
	{"KycMetricsIncomplete", "", func(w *watched) func() {
		require.NoError(w.t, w.server.Kill())
		return func() { require.NoError(w.t, w.server.Restart(w.within(alertPatience))) }
	}},
}

// fail makes the next starts of sessions fail.
func (w *watched) fail(f diditsim.Fault) { w.sim.FailNext(http.MethodPost, "/v3/session", f) }

// move changes a user's session at Didit.
func (w *watched) move(user string, to didit.Status) {
	w.t.Helper()
	require.NoError(w.t, w.sim.SetStatus(w.sim.SessionsOf(user)[0].ID, to))
}

// send posts a webhook, signed with a secret.
func (w *watched) send(secret, body string) { w.sendTo(w.webhookURL, secret, body) }

func (w *watched) sendTo(url, secret, body string) {
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set(didit.HeaderSignature, didit.Sign(secret, []byte(body)))
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
	}
}

func (w *watched) loseWebhooks() (fix func()) {
	w.sim.SetWebhook("http://127.0.0.1:1/", secret)
	for range 10 {
		user := w.fresh()
		w.begin(user)
		w.move(user, didit.StatusInProgress)
	}
	return func() { w.sim.SetWebhook(w.webhookURL, secret) }
}

// otherWebhook puts one with other settings in the webhook's place, to which genuine webhooks come.
func (w *watched) otherWebhook(change func(*config.Webhook)) (back func()) {
	w.end("webhook", w.stopWebhook)
	w.backAgain("webhook", func() { w.stopWebhook = w.startWebhookAs(change) })
	stop := w.again(func() { w.send(secret, foreignEvent("somebody")) })
	return func() {
		stop()
		w.end("webhook", w.stopWebhook)
		w.backAgain("webhook", func() { w.stopWebhook = w.startWebhook() })
	}
}

// loseSession makes Didit forget a session, and find it again.
func (w *watched) loseSession() (fix func()) {
	user := w.fresh()
	id := w.begin(user).Session.SessionID
	w.move(user, didit.StatusInProgress)
	w.status(user, didit.StatusInProgress)
	w.sim.FailNext(http.MethodGet, "/v3/session/"+id, diditsim.Fault{Status: http.StatusNotFound, Body: `{"detail": "Not found."}`, Times: 1000})
	w.move(user, didit.StatusApproved)
	return func() {
		w.sim.ClearFaults()
		_, err := w.Refresh(w.within(timeout), user, ops.Request{Operator: jo})
		require.NoError(w.t, err)
	}
}

// refuseSweeps takes from the API key the right to read webhook deliveries.
func (w *watched) refuseSweeps() (fix func()) {
	_, err := w.SetupSweep(w.within(timeout))
	require.NoError(w.t, err)
	w.sim.FailNext(http.MethodGet, "/v3/webhook/destinations", diditsim.Fault{Status: http.StatusForbidden, Times: 10_000})
	schedule := w.Temporal().ScheduleClient().GetHandle(w.t.Context(), ops.SweepID)
	stop := w.again(func() { _ = schedule.Trigger(w.t.Context(), client.ScheduleTriggerOptions{}) })
	return func() { stop(); w.sim.ClearFaults() }
}

// guess asks the codec server with a wrong token.
func (w *watched) guess(token string) {
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.codec+"/decode", strings.NewReader("{}"))
	if err != nil {
		return
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
	}
}

// slowDown stops Temporal for most of the time that it is waited for, again and again.
func (w *watched) slowDown() (fix func()) {
	temporal, err := os.FindProcess(w.server.PID())
	require.NoError(w.t, err)
	return w.again(func() {
		if err := temporal.Signal(syscall.SIGSTOP); err != nil && !errors.Is(err, os.ErrProcessDone) {
			w.t.Error(err)
		}
		timer := time.AfterFunc(1500*time.Millisecond, func() { _ = temporal.Signal(syscall.SIGCONT) })
		w.send(secret, foreignEvent("somebody"))
		if timer.Stop() {
			_ = temporal.Signal(syscall.SIGCONT)
		}
	})
}

// end stops a process, and what Prometheus asks of it.
func (w *watched) end(process string, stop func()) {
	stop()
	w.telemetry[process].Close()
}

// backAgain starts a process where Prometheus looks for it.
func (w *watched) backAgain(process string, begin func()) {
	given := w.o.observe
	w.o.observe.MetricsAddr = w.metrics[process]
	begin()
	w.o.observe = given
	require.Equal(w.t, w.metrics[process], w.telemetry[process].Address)
}

func (w *watched) rightWorker() {
	w.backAgain("worker", func() { w.stopWorker = w.startWorker(w.o) })
}

// wrongWorker takes the worker's place with other code, watched as the worker is.
func (w *watched) wrongWorker(verification any) (stop func()) {
	w.end("worker", w.stopWorker)
	var wrong sdkworker.Worker
	w.backAgain("worker", func() {
		c, _ := w.dialAs("worker")
		wrong = sdkworker.New(c.Temporal(), kyc.TaskQueue, sdkworker.Options{})
		wrong.RegisterWorkflowWithOptions(verification, workflow.RegisterOptions{Name: kyc.WorkflowVerification})
		require.NoError(w.t, wrong.Start())
	})
	return func() { w.end("worker", wrong.Stop) }
}
