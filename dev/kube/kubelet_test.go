package kube

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"didit-temporal/dev/harness"
	"didit-temporal/dev/procs"
)

// kubelet runs pods as a node does: each with the command, the environment and the files of its manifest, probed as often as
// that says, stopped with SIGTERM and killed after its grace period. In place of a network of its own a pod has free ports.
type kubelet struct {
	t       *testing.T
	secrets map[string]string // by key, in any Secret
	names   map[string]string // what stands where an address of the cluster would: TEMPORAL_ADDRESS, DIDIT_BASE_URL
	extra   []string          // more environment

	mu     sync.Mutex
	faults []string // restarts by a liveness probe, kills after the grace period, ends by itself
}

// runningPod is a pod and what its kubelet knows.
type runningPod struct {
	name  string
	spec  pod
	cmd   *exec.Cmd
	log   string            // its file
	ports map[string]string // addresses, by the port's name
	ready chan struct{}     // closed once the readiness probe has succeeded
	gone  chan struct{}     // closed when the process has ended
	meant chan struct{}     // closed when it was asked to stop
}

func (p *runningPod) container() container { return p.spec.Containers[0] }

// start runs a pod of the workload.
func (k *kubelet) start(name string, w workload) *runningPod {
	k.t.Helper()
	dir := k.t.TempDir()
	p := &runningPod{
		name: name, spec: w.Spec.Template.Spec, log: filepath.Join(dir, "log"), ports: map[string]string{},
		ready: make(chan struct{}), gone: make(chan struct{}), meant: make(chan struct{}),
	}
	k.mount(p, dir)
	p.cmd = exec.Command(filepath.Join(programs, "kyc"), p.container().Args...)
	p.cmd.Env = append(k.environment(p, dir), k.extra...)
	out, err := os.Create(p.log)
	require.NoError(k.t, err)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	require.NoError(k.t, procs.Start(p.cmd))
	go func() {
		_ = p.cmd.Wait()
		_ = out.Close()
		close(p.gone)
		select {
		case <-p.meant:
		default:
			k.fault("%s ended by itself: %s", p.name, p.cmd.ProcessState)
		}
	}()
	k.t.Cleanup(func() { k.end(p) })
	return p
}

// end kills the pod, and shows what it said if the test failed.
func (k *kubelet) end(p *runningPod) {
	select {
	case <-p.gone:
	default:
		p.mean()
		_ = p.cmd.Process.Kill()
		<-p.gone
	}
	if text, _ := os.ReadFile(p.log); k.t.Failed() {
		k.t.Logf("%s said last:\n%s", p.name, text[max(0, len(text)-3000):])
	}
}

func (p *runningPod) mean() {
	select {
	case <-p.meant:
	default:
		close(p.meant)
	}
}

// mount writes the secrets of the pod's volumes.
func (k *kubelet) mount(p *runningPod, dir string) {
	k.t.Helper()
	for _, volume := range p.spec.Volumes {
		for _, source := range volume.Projected.Sources {
			for _, item := range source.Secret.Items {
				value, ok := k.secrets[item.Key]
				require.True(k.t, ok, "the Secret %s has no key %s", source.Secret.Name, item.Key)
				require.NoError(k.t, os.WriteFile(filepath.Join(dir, item.Path), []byte(value), 0o400))
			}
		}
	}
}

// environment is that of the manifest, with this machine's addresses and folders in it, and what containerd adds.
func (k *kubelet) environment(p *runningPod, dir string) []string {
	k.t.Helper()
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=/"}
	for _, e := range p.container().Env {
		require.Nil(k.t, e.ValueFrom, e.Name)
		value := e.Value
		for _, m := range p.container().VolumeMounts {
			value = strings.Replace(value, m.MountPath, dir, 1)
		}
		for _, port := range p.container().Ports {
			if value == fmt.Sprintf(":%d", port.ContainerPort) {
				p.ports[port.Name] = harness.Address(k.t)
				value = p.ports[port.Name]
			}
		}
		if address, ok := k.names[e.Name]; ok {
			value = address
		}
		env = append(env, e.Name+"="+value)
	}
	return env
}

// watch probes the pod until it is asked to stop.
func (k *kubelet) watch(p *runningPod) {
	go k.probe(p, p.container().ReadinessProbe, func(healthy bool) bool {
		if healthy {
			close(p.ready)
		}
		return !healthy
	})
	go k.probe(p, p.container().LivenessProbe, func(healthy bool) bool {
		if !healthy {
			k.fault("the liveness probe would have restarted %s", p.name)
		}
		return healthy
	})
}

// probe reports what the probe finds, as often as it says, until again returns false. A failure counts after the third in a row,
// which is Kubernetes's default.
func (k *kubelet) probe(p *runningPod, how probe, again func(healthy bool) bool) {
	tick := time.NewTicker(time.Duration(how.PeriodSeconds) * time.Second)
	defer tick.Stop()
	failed := 0
	for {
		if p.answers(how) {
			failed = 0
		} else {
			failed++
		}
		select {
		case <-p.meant: // a stopping pod is not probed
			return
		default:
		}
		if (failed == 0 || failed >= 3) && !again(failed == 0) {
			return
		}
		select {
		case <-tick.C:
		case <-p.meant:
			return
		}
	}
}

func (p *runningPod) answers(how probe) bool {
	client := http.Client{Timeout: time.Duration(how.TimeoutSeconds) * time.Second}
	res, err := client.Get("http://" + p.ports[how.HTTPGet.Port] + how.HTTPGet.Path)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode < 400
}

// becomesReady waits for the readiness probe.
func (p *runningPod) becomesReady(ctx context.Context) error {
	select {
	case <-p.ready:
		return nil
	case <-p.gone:
		return fmt.Errorf("%s has ended: %s", p.name, p.cmd.ProcessState)
	case <-ctx.Done():
		return fmt.Errorf("%s does not become ready: %w", p.name, ctx.Err())
	}
}

// stop asks the pod to stop, and kills it when its grace period is over.
func (k *kubelet) stop(p *runningPod) {
	p.mean()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.gone:
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			k.fault("%s stopped with exit code %d", p.name, code)
		}
	case <-time.After(time.Duration(p.spec.TerminationGracePeriodSeconds) * time.Second):
		k.fault("%s was killed after its grace period", p.name)
		_ = p.cmd.Process.Kill()
		<-p.gone
	}
}

func (k *kubelet) fault(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.faults = append(k.faults, fmt.Sprintf(format, args...))
}
