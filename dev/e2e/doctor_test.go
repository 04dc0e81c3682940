package e2e

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"didit-temporal/dev/skip"
	"didit-temporal/internal/doctor"
	"didit-temporal/kyc"
)

// patient is a system as the doctor sees it.
func (s *system) patient() (doctor.Options, map[string]string) {
	s.t.Helper()
	_, err := s.SetupSweep(s.within(timeout)) // as starter setup does
	require.NoError(s.t, err)
	env := map[string]string{
		"DIDIT_API_KEY": apiKey, "DIDIT_WORKFLOW_ID": flow, "DIDIT_BASE_URL": s.simURL, "DIDIT_WEBHOOK_SECRETS": secret,
		"DIDIT_WRITES_PER_MINUTE": "6000", "DIDIT_READS_PER_MINUTE": "12000", "DIDIT_QUEUE_PARTITIONS": "1", "METRICS_ADDR": "off",
	}
	return doctor.Options{
		Getenv: func(name string) string { return env[name] }, Now: time.Now, PublicURL: s.webhookURL, WebhookURL: s.webhookURL,
		Temporal: func() (client.Options, error) { return client.Options{HostPort: s.server.Address}, nil },
	}, env
}

// complaints lists what the doctor found, "status check: found -> fix" each.
func complaints(t *testing.T, o doctor.Options) (all []string) {
	t.Helper()
	for _, f := range doctor.Run(t.Context(), o) {
		if f.Status == doctor.Failed || f.Status == doctor.Warning {
			all = append(all, fmt.Sprintf("%s %s: %s -> %s", f.Status, f.Check, f.Found, f.Fix))
		}
	}
	return all
}

func contains(all []string, parts ...string) bool {
	for _, line := range all {
		found := true
		for _, p := range parts {
			found = found && strings.Contains(line, p)
		}
		if found {
			return true
		}
	}
	return false
}

func TestTheDoctorFindsFaultsAtTemporal(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{})
	s.begin("u1")
	o, _ := s.patient()
	// A worker that has just begun has not polled all its queues yet.
	s.eventually(func() bool { return len(complaints(t, o)) == 0 }, "a healthy system")

	for name, tc := range map[string]struct {
		plant func(*doctor.Options)
		want  []string
	}{
		"no Temporal":     {at(client.Options{HostPort: "127.0.0.1:1"}), []string{"failed temporal: reach Temporal at 127.0.0.1:1", "start Temporal"}},
		"an unknown host": {at(client.Options{HostPort: "temporal.invalid:7233"}), []string{"failed temporal: ", "DNS does not know that host"}},
		"TLS where there is none": {at(client.Options{HostPort: s.server.Address, ConnectionOptions: client.ConnectionOptions{TLS: &tls.Config{MinVersion: tls.VersionTLS12}}}),
			[]string{"failed temporal: ", "check TEMPORAL_TLS*"}},
		"an unknown namespace":   {at(client.Options{HostPort: s.server.Address, Namespace: "nope"}), []string{"failed namespace: nope does not exist", "temporal operator namespace create --retention 720h nope"}},
		"a worker that is gone":  {later(5 * time.Minute), []string{"failed workers: no worker has polled kyc (workflows) for", "start a worker in this namespace"}},
		"a clock that is behind": {later(-10 * time.Minute), []string{"failed clock and Temporal's: this machine is", "behind Temporal's", "synchronize the clock"}},
		"a short memory": {func(*doctor.Options) { s.remember(24 * time.Hour) },
			[]string{"warning namespace: default deletes closed verifications after 24h", "temporal operator namespace update --retention 720h default"}},
		"a paused queue": {func(*doctor.Options) { s.limit(kyc.TaskQueueDiditWrite, 0) },
			[]string{"failed limit of didit-write: paused (set by ops: a test)", "temporal task-queue config set --task-queue didit-write"}},
		"a limit above its share": {func(*doctor.Options) { s.limit(kyc.TaskQueueDiditRead, 130) },
			[]string{"failed limit of didit-read: 7800 calls a minute (set by ops: a test), above its share of 6000", "--queue-rps-limit default"}},
	} {
		t.Run(name, func(t *testing.T) {
			sick := o
			tc.plant(&sick)
			all := complaints(t, sick)
			require.True(t, contains(all, tc.want...), "%q", all)
		})
	}
}

func TestTheDoctorFindsANamespaceThatWasNotPrepared(t *testing.T) {
	t.Parallel()
	s := bare(t, options{})
	s.simURL = "http://127.0.0.1:1"
	s.Client = s.dial()
	o, _ := s.patient()
	all := complaints(t, o)
	require.True(t, contains(all, "failed search attributes: missing: KycStatus, KycOutcome", "run `starter setup` once"), "%q", all)
	require.True(t, contains(all, "failed workers: no worker polls didit-write (activities)", "start a worker"), "%q", all)
	require.True(t, contains(all, "warning limit of didit-write: no limit is set", "the first worker that starts"), "%q", all)

	_, err := s.Temporal().OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
		Namespace: s.Namespace(), SearchAttributes: map[string]enumspb.IndexedValueType{kyc.AttributeAttempt: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
	})
	require.NoError(t, err)
	s.eventually(func() bool {
		return contains(complaints(t, o), "failed search attributes: of another type: KycAttempt is Keyword, want Int", "search-attribute remove")
	}, "the type is found to be another")
}

func at(o client.Options) func(*doctor.Options) {
	return func(d *doctor.Options) { d.Temporal = func() (client.Options, error) { return o, nil } }
}

func later(d time.Duration) func(*doctor.Options) {
	return func(o *doctor.Options) { o.Now = func() time.Time { return time.Now().Add(d) } }
}

// remember sets the retention of the namespace.
func (s *system) remember(retention time.Duration) {
	s.t.Helper()
	_, err := s.Temporal().WorkflowService().UpdateNamespace(s.t.Context(), &workflowservice.UpdateNamespaceRequest{
		Namespace: s.Namespace(), Config: &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(retention)},
	})
	require.NoError(s.t, err)
}

// limit sets a queue's limit as an operator does.
func (s *system) limit(queue string, perSecond float32) {
	s.t.Helper()
	_, err := s.Temporal().WorkflowService().UpdateTaskQueueConfig(s.t.Context(), &workflowservice.UpdateTaskQueueConfigRequest{
		Namespace: s.Namespace(), Identity: "ops", TaskQueue: queue, TaskQueueType: enumspb.TASK_QUEUE_TYPE_ACTIVITY,
		UpdateQueueRateLimit: &workflowservice.UpdateTaskQueueConfigRequest_RateLimitUpdate{
			RateLimit: &taskqueuepb.RateLimit{RequestsPerSecond: perSecond}, Reason: "a test",
		},
	})
	require.NoError(s.t, err)
}
