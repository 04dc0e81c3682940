package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// Published is the settings that a running process publishes, so that they can be compared. Nothing in it is secret: of a
// secret it holds a fingerprint, too short to find the secret.
type Published struct {
	Process        string `json:"process"` // worker, webhook or starter
	Namespace      string `json:"namespace"`
	Environment    string `json:"environment"`
	Deployment     string `json:"deployment"`      // whose sessions it takes for ours
	WorkflowID     string `json:"workflow_id"`     // of Didit
	Didit          string `json:"didit"`           // its address
	APIKey         string `json:"api_key"`         // fingerprint
	WebhookSecrets string `json:"webhook_secrets"` // fingerprints, separated by spaces
	PayloadKeys    string `json:"payload_keys"`    // ids, the one that encrypts first
	Results        string `json:"results"`         // fingerprint of RESULT_URL
	Version        string `json:"version"`         // of the program; what publishes the others fills it in
}

// Labels are those of a metric.
func (p Published) Labels() (labels map[string]string) {
	convert(p, &labels)
	return labels
}

// PublishedFrom reads the labels of a metric.
func PublishedFrom(labels map[string]string) (p Published) {
	convert(labels, &p)
	return p
}

// convert goes by the names of the fields. It cannot fail: both sides have strings only.
func convert(from, to any) {
	text, _ := json.Marshal(from)
	_ = json.Unmarshal(text, to)
}

// fingerprintLength leaves 24 bits of a digest: enough to distinguish two secrets, too few to check a guess.
const fingerprintLength = 6

// Fingerprint distinguishes secrets. It is empty for an empty one.
func Fingerprint(s Secret) string {
	if s.Reveal() == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("kyc_settings_info\x00" + s.Reveal()))
	return hex.EncodeToString(sum[:])[:fingerprintLength]
}

func fingerprints(all []Secret) string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = Fingerprint(s)
	}
	return strings.Join(out, " ")
}

// Published returns what the worker publishes.
func (w Worker) Published(namespace string) Published {
	return Published{
		Process: "worker", Namespace: namespace, Environment: string(w.Environment), Deployment: cmp.Or(w.Deployment, namespace),
		WorkflowID: w.DiditWorkflowID, Didit: w.DiditBaseURL,
		APIKey: Fingerprint(w.DiditAPIKey), PayloadKeys: strings.Join(w.PayloadKeys.IDs(), " "), Results: Fingerprint(w.ResultURL),
	}
}

// Published returns what the webhook publishes.
func (w Webhook) Published(namespace string) Published {
	return Published{
		Process: "webhook", Namespace: namespace, Environment: string(w.Environment), Deployment: cmp.Or(w.Deployment, namespace),
		WebhookSecrets: fingerprints(w.Secrets),
	}
}

// Published returns what the HTTP API publishes.
func (s Starter) Published(namespace string) Published {
	return Published{
		Process: "starter", Namespace: namespace, Environment: string(s.Environment), PayloadKeys: strings.Join(s.PayloadKeys.IDs(), " "),
	}
}
