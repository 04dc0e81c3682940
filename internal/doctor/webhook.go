package doctor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"syscall"

	"github.com/google/uuid"

	"didit-temporal/didit"
	"didit-temporal/internal/config"
)

const (
	checkHook   = "webhook takes events"
	checkForged = "webhook refuses forgeries"
)

// atWebhook sends the webhook a signed test event, which changes nothing, and a forged one.
func (e *checker) atWebhook(ctx context.Context) {
	target := cmp.Or(e.WebhookURL, e.PublicURL)
	if here, err := config.LocalURL(e.hook.Addr); target == "" && err == nil {
		target = here + WebhookPath
	}
	switch {
	case !e.wants("webhook"):
		e.skip("the secrets are the webhook's: run this where it runs", checkHook, checkForged, checkLargest)
		return
	case len(e.hook.Secrets) == 0 || e.hook.Environment == "":
		e.skip("there are no usable settings to sign with", checkHook, checkForged, checkLargest)
		return
	case target == "":
		e.skip("WEBHOOK_ADDR is wrong; give --webhook-url", checkHook, checkForged, checkLargest)
		return
	}
	a, err := e.deliver(ctx, target, e.hook.Secrets[0].Reveal(), 0)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED) && e.WebhookURL == "":
		e.fail(checkHook, "nothing listens at "+target+": no webhook can arrive",
			"start the webhook (`go run ./webhook`); where it runs elsewhere give --webhook-url or --url, or check only the worker with --process worker")
		e.skip("the webhook does not answer", checkForged, checkLargest)
		return
	case err != nil:
		e.fail(checkHook, fmt.Sprintf("%s does not answer: %v", target, err), "start the webhook (`go run ./webhook`), or correct --webhook-url")
		e.skip("the webhook does not answer", checkForged, checkLargest)
		return
	}
	e.judge(target, a)
	if a.code != http.StatusOK {
		e.skip("the webhook accepts no event", checkForged, checkLargest)
		return
	}
	e.forge(ctx, target)
	e.largest(ctx, cmp.Or(e.PublicURL, target)) // through the proxy in front, where it is known
}

// judge explains the answer; docs/reference/webhook.md lists the webhook's answers.
func (e *checker) judge(target string, a answer) {
	found := fmt.Sprintf("%s answers %d to a signed test event", target, a.code)
	switch {
	case a.code == http.StatusOK && strings.Contains(string(a.body), "received"):
		e.ok(checkHook, found)
	case a.code == http.StatusOK:
		e.fail(checkHook, found+", but not as our webhook does", "another program listens there: check WEBHOOK_ADDR and --webhook-url")
	case a.code == http.StatusForbidden && strings.Contains(string(a.body), "timestamp"):
		e.fail(checkHook, found+": its clock and ours differ", keepTime)
	case a.code == http.StatusForbidden && strings.Contains(string(a.body), "not on the list"):
		e.skip("the webhook accepts the senders of WEBHOOK_ALLOW_FROM only, and this machine is not in it", checkHook)
	case a.code == http.StatusForbidden:
		e.fail(checkHook, found+": it runs with other secrets", "give the webhook the DIDIT_WEBHOOK_SECRETS that are set here, and start it again")
	case a.code == http.StatusNotFound, a.code == http.StatusMethodNotAllowed:
		e.fail(checkHook, found, "want the path "+WebhookPath+" of the webhook process: check WEBHOOK_ADDR and --webhook-url")
	case a.code == http.StatusServiceUnavailable:
		e.fail(checkHook, found, "it does not reach Temporal: see its log and the checks above")
	default:
		e.fail(checkHook, found, "see the log of the webhook")
	}
}

// forge signs with a random secret: a webhook that accepts that accepts everything.
func (e *checker) forge(ctx context.Context, target string) {
	a, err := e.deliver(ctx, target, uuid.NewString(), 0)
	switch {
	case err != nil:
		e.skip(fmt.Sprintf("no answer: %v", err), checkForged)
	case a.code == http.StatusForbidden:
		e.ok(checkForged, "403 to an event that is signed with another secret")
	default:
		e.fail(checkForged, fmt.Sprintf("%s answers %d to an event that is signed with another secret", target, a.code),
			"another program answers there: check WEBHOOK_ADDR, --webhook-url and the proxy in between")
	}
}

// deliver sends a test event as Didit's console does, marked twice: in the header and in what is signed.
// size is the least length of its body.
func (e *checker) deliver(ctx context.Context, target, secret string, size int) (answer, error) {
	now := e.Now().Unix()
	body, err := json.Marshal(map[string]any{
		"event_id": uuid.NewString(), "webhook_type": didit.EventStatusUpdated, "timestamp": now, "created_at": now,
		"environment": e.hook.Environment, "session_id": uuid.Nil.String(), "status": didit.StatusNotStarted,
		"vendor_data": "doctor", "metadata": map[string]bool{"test_webhook": true},
	})
	if err != nil {
		return answer{}, err
	}
	body = append(body, bytes.Repeat([]byte(" "), max(size-len(body), 0))...) // JSON allows spaces at its end
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set(didit.HeaderSignature, didit.Sign(secret, body))
	h.Set(didit.HeaderTimestamp, strconv.FormatInt(now, 10))
	h.Set(didit.HeaderTest, "true")
	return e.call(ctx, http.MethodPost, target, h, bytes.NewReader(body))
}
