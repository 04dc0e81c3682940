package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Published is the settings that a running process publishes, so that they can be compared. Nothing in it is secret: of a
// secret it holds a fingerprint, too short to find the secret.
type Published struct {
	Process        string // worker, webhook or starter
	Namespace      string
	Environment    string
	Deployment     string // whose sessions it takes for ours
	WorkflowID     string // of Didit
	Didit          string // its address
	APIKey         string // fingerprint
	WebhookSecrets string // fingerprints, separated by spaces
	PayloadKeys    string // ids, the one that encrypts first
	Results        string // fingerprint of RESULT_URL
	Version        string // of the program; what publishes the others fills it in
}

// The label of each field.
func (p *Published) fields() map[string]*string {
	return map[string]*string{
		"process": &p.Process, "namespace": &p.Namespace, "environment": &p.Environment, "deployment": &p.Deployment, "workflow_id": &p.WorkflowID,
		"didit": &p.Didit, "api_key": &p.APIKey, "webhook_secrets": &p.WebhookSecrets, "payload_keys": &p.PayloadKeys, "results": &p.Results,
		"version": &p.Version,
	}
}

// Labels are those of a metric.
func (p Published) Labels() map[string]string {
	out := map[string]string{}
	for name, value := range p.fields() {
		out[name] = *value
	}
	return out
}

// PublishedFrom reads the labels of a metric.
func PublishedFrom(labels map[string]string) (p Published) {
	for name, field := range p.fields() {
		*field = labels[name]
	}
	return p
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
