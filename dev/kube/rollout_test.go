package kube

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/skip"
	"didit-temporal/dev/tserver"
	"didit-temporal/didit/diditsim"
	"didit-temporal/starter/api"
	"didit-temporal/webhook/receiver"
)

// deployment is a Deployment with its Service, and who controls both.
type deployment struct {
	name    string
	k       *kubelet
	w       workload
	service *service // nil where nothing is called but metrics
	pods    []*runningPod
	started int
	ending  sync.WaitGroup
}

// A rolling update of everything, while people sign up and Didit sends webhooks: nobody sees an error, and no event is late.
func TestARollingUpdateIsNotNoticed(t *testing.T) {
	skip.Long(t)
	example := exampleSecrets(t)
	all := workloads(t, "simulator")
	setting := settingsOf(all["worker"])
	sim := diditsim.New(diditsim.Options{
		APIKey: example["DIDIT_API_KEY"], WorkflowIDs: []string{setting["DIDIT_WORKFLOW_ID"]}, Environment: "sandbox",
		RetryDelays: []time.Duration{}, Limits: diditsim.Unlimited,
	})
	t.Cleanup(sim.Close)
	k := &kubelet{t: t, secrets: example, extra: []string{"DIDIT_WRITES_PER_MINUTE=100000", "DIDIT_READS_PER_MINUTE=100000"}, names: map[string]string{
		"TEMPORAL_ADDRESS": tserver.Run(t, tserver.Options{}).Address, "DIDIT_BASE_URL": harness.Serve(t, sim),
	}}
	k.runToTheEnd("setup", all["setup"])
	ctx := harness.Within(t, timeout)
	var deployments []*deployment
	for _, name := range []string{"worker", "webhook", "api", "codec"} {
		deployments = append(deployments, k.deploy(name, all[name]))
	}
	together(ctx, t, deployments, (*deployment).scale)
	webhook, signups := deployments[1].service, deployments[2].service
	sim.SetWebhook("http://"+webhook.address+receiver.Path, example["DIDIT_WEBHOOK_SECRETS"])

	coming, stop := context.WithCancel(ctx)
	defer stop()
	p := &people{
		api: "http://" + signups.address + api.Path, token: strings.TrimPrefix(example["STARTER_TOKENS"], "shop:"), sim: sim,
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: flock}}, codes: map[int]int{},
	}
	p.come(coming, ctx)
	p.served(t, flock)
	began := time.Now()
	together(ctx, t, deployments, (*deployment).roll)
	took := time.Since(began)
	p.served(t, flock) // by the new ones
	stop()
	p.flocks.Wait()
	require.NoError(t, sim.Wait(ctx))
	judge(t, k, p, []*service{webhook, signups}, took)
}

// served waits until some more people have their verdict.
func (p *people) served(t *testing.T, more int64) {
	t.Helper()
	want := p.done.Load() + more
	require.Eventually(t, func() bool { return p.done.Load() >= want }, timeout, 100*time.Millisecond, "people get a verdict")
}

// together does the same with all deployments at once, as helm does.
func together(ctx context.Context, t *testing.T, all []*deployment, do func(*deployment, context.Context) error) {
	t.Helper()
	var doing sync.WaitGroup
	for _, d := range all {
		doing.Go(func() {
			if err := do(d, ctx); err != nil {
				t.Errorf("%s: %v", d.name, err)
			}
		})
	}
	doing.Wait()
	require.False(t, t.Failed())
}

func judge(t *testing.T, k *kubelet, p *people, services []*service, took time.Duration) {
	t.Helper()
	codes, late := map[int]int{}, 0
	for _, d := range p.sim.Deliveries() {
		codes[d.Code]++
		if d.Code != http.StatusOK {
			late++
			t.Logf("a webhook: %d, %v", d.Code, d.Err)
		}
	}
	t.Logf("a rolling update of four Deployments in %s: %d people with a verdict, webhooks %v, calls of the API %v",
		took.Round(time.Second), p.done.Load(), codes, p.codes)
	assert.Zero(t, late, "webhooks that were not answered 200 at once")
	assert.Empty(t, p.wrong, "calls of the API")
	assert.Empty(t, k.faults, "pods")
	for _, s := range services {
		assert.Zero(t, s.refused, "connections that found no pod")
	}
}

// exampleSecrets is the Secret that the comment of values-simulator.yaml makes.
func exampleSecrets(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../.env.example")
	require.NoError(t, err)
	all := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(text), -1) {
		all[m[1]] = m[2]
	}
	return all
}

func settingsOf(w workload) map[string]string {
	all := map[string]string{}
	for _, e := range w.Spec.Template.Spec.Containers[0].Env {
		all[e.Name] = e.Value
	}
	return all
}

// runToTheEnd runs a Job.
func (k *kubelet) runToTheEnd(name string, w workload) {
	k.t.Helper()
	p := k.start(name, w)
	p.mean() // to end
	select {
	case <-p.gone:
	case <-time.After(timeout):
		k.t.Fatalf("%s does not end", name)
	}
	require.True(k.t, p.cmd.ProcessState.Success(), "%s: %s", name, p.cmd.ProcessState)
}

// deploy makes a deployment without pods.
func (k *kubelet) deploy(name string, w workload) *deployment {
	k.t.Helper()
	require.Equal(k.t, 1, w.Spec.Strategy.RollingUpdate.MaxSurge)
	require.Zero(k.t, w.Spec.Strategy.RollingUpdate.MaxUnavailable)
	d := &deployment{name: name, k: k, w: w}
	for _, port := range w.Spec.Template.Spec.Containers[0].Ports {
		if port.Name == "http" {
			d.service = newService(k.t)
		}
	}
	return d
}

// scale starts the pods and waits until senders reach them.
func (d *deployment) scale(ctx context.Context) error {
	for range d.w.Spec.Replicas {
		d.add()
	}
	for _, p := range d.pods {
		if err := p.becomesReady(ctx); err != nil {
			return err
		}
		if d.service != nil {
			d.service.add(ctx, p.ports["http"])
		}
	}
	return nil
}

func (d *deployment) add() *runningPod {
	d.started++
	p := d.k.start(fmt.Sprintf("%s-%d", d.name, d.started), d.w)
	d.k.watch(p)
	d.pods = append(d.pods, p)
	return p
}

// roll replaces each pod as a Deployment with maxSurge 1 and maxUnavailable 0 does: once the new one is ready, an old one is
// deleted, without waiting for its end or for its Service.
func (d *deployment) roll(ctx context.Context) error {
	old := d.pods
	d.pods = nil
	for _, o := range old {
		p := d.add()
		if err := p.becomesReady(ctx); err != nil {
			return err
		}
		if d.service != nil {
			d.ending.Go(func() { d.service.add(ctx, p.ports["http"]) })
			d.ending.Go(func() { d.service.remove(ctx, o.ports["http"]) })
		}
		d.ending.Go(func() { d.k.stop(o) })
	}
	d.ending.Wait()
	return nil
}
