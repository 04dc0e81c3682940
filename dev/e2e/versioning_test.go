package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"

	"didit-temporal/dev/skip"
	"didit-temporal/didit"
	"didit-temporal/internal/config"
	"didit-temporal/kyc"
)

// versioned are the options of a worker of a version.
func versioned(behavior config.Behavior, build string) options {
	return options{versioning: config.Versioning{Behavior: behavior, Deployment: "kyc", BuildID: build}}
}

// startVersion starts another worker, which differs in its version.
func (s *system) startVersion(build string) {
	o := s.o
	o.versioning.BuildID = build
	s.startWorker(o)
}

// makeCurrent is `temporal worker deployment set-current-version`. It waits until the version's workers are known,
// and after the command, which returns earlier, until the task queue dispatches to the version.
func (s *system) makeCurrent(build string) {
	s.t.Helper()
	service := s.Temporal().WorkflowService()
	s.eventually(func() bool {
		_, err := s.Temporal().WorkerDeploymentClient().GetHandle("kyc").SetCurrentVersion(s.within(timeout),
			client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
		return err == nil
	}, build+" is the current version")
	s.eventually(func() bool {
		got, err := service.DescribeWorkerDeployment(s.within(timeout), &workflowservice.DescribeWorkerDeploymentRequest{
			Namespace: s.Namespace(), DeploymentName: "kyc",
		})
		return err == nil && got.GetWorkerDeploymentInfo().GetRoutingConfigUpdateState() == enumspb.ROUTING_CONFIG_UPDATE_STATE_COMPLETED
	}, build+" gets the queue's tasks")
}

// builds lists the versions that carried out the workflow tasks of a user's newest run, without repeats.
func (s *system) builds(user string) (all []string) {
	s.t.Helper()
	for _, ev := range s.history(user) {
		done := ev.GetWorkflowTaskCompletedEventAttributes()
		if done == nil {
			continue
		}
		build := done.GetDeploymentVersion().GetBuildId()
		if len(all) == 0 || all[len(all)-1] != build {
			all = append(all, build)
		}
	}
	return all
}

func TestOpenVerificationsFollowTheWorkersVersionOrStay(t *testing.T) {
	skip.Long(t)
	for behavior, want := range map[config.Behavior][]string{config.AutoUpgrade: {"v1", "v2"}, config.Pinned: {"v1"}} {
		t.Run(string(behavior), func(t *testing.T) {
			t.Parallel()
			s := start(t, versioned(behavior, "v1"))
			s.makeCurrent("v1")
			url := s.begin("u1").Session.URL
			s.open(url)
			s.status("u1", didit.StatusInProgress)

			s.startVersion("v2")
			s.makeCurrent("v2")
			if behavior == config.AutoUpgrade {
				s.stopWorker() // no verification needs the old version
			}
			s.press(url, "approve")
			require.Equal(t, kyc.OutcomeApproved, s.result("u1").Outcome)
			assert.Equal(t, want, s.builds("u1"))

			s.press(s.begin("u2").Session.URL, "decline")
			require.Equal(t, kyc.OutcomeDeclined, s.result("u2").Outcome)
			assert.Equal(t, []string{"v2"}, s.builds("u2"))
			require.Len(t, s.sim.Sessions(), 2)
		})
	}
}

func TestOpenVerificationsMoveToTheFirstVersion(t *testing.T) {
	skip.Long(t)
	for _, behavior := range []config.Behavior{config.AutoUpgrade, config.Pinned} {
		t.Run(string(behavior), func(t *testing.T) {
			t.Parallel()
			s := start(t, options{})
			url := s.begin("u1").Session.URL
			s.open(url)
			s.status("u1", didit.StatusInProgress)
			s.o.versioning = versioned(behavior, "").versioning
			s.startVersion("v1")
			s.makeCurrent("v1")
			s.stopWorker()
			s.press(url, "approve")
			require.Equal(t, kyc.OutcomeApproved, s.result("u1").Outcome)
			require.Equal(t, []string{"", "v1"}, s.builds("u1"))
		})
	}
}

func TestWithoutVersioningNoHistoryNamesAVersion(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	s := start(t, options{versioning: config.Versioning{Behavior: config.NoVersioning, Deployment: "kyc"}})
	s.press(s.begin("u1").Session.URL, "approve")
	require.Equal(t, kyc.OutcomeApproved, s.result("u1").Outcome)
	for _, ev := range s.history("u1") {
		done := ev.GetWorkflowTaskCompletedEventAttributes()
		require.Nil(t, done.GetDeploymentVersion())
		require.Equal(t, enumspb.VERSIONING_BEHAVIOR_UNSPECIFIED, done.GetVersioningBehavior())
	}
}

// Two versions side by side, each with users who wait for Didit's limit: the server dispatches both at one rate.
func TestTheQueuesLimitHoldsOverAllVersions(t *testing.T) {
	skip.Long(t)
	t.Parallel()
	const each, perMinute = 6, 60
	o := versioned(config.Pinned, "v1")
	o.writesPerMinute = perMinute
	s := start(t, o)
	began := time.Now()
	var starts errgroup.Group
	for _, build := range []string{"v1", "v2"} {
		if build == "v2" {
			s.startVersion(build)
		}
		s.makeCurrent(build)
		for i := range each {
			user := fmt.Sprintf("%s-%d", build, i)
			starts.Go(func() error {
				_, err := s.Start(s.within(timeout), kyc.Input{UserID: user})
				return err
			})
			s.eventually(func() bool { _, err := s.State(s.within(timeout), user); return err == nil }, user+" is under way")
		}
	}
	require.NoError(t, starts.Wait())
	took := time.Since(began)
	for i := range each {
		assert.Equal(t, []string{"v1"}, s.builds(fmt.Sprintf("v1-%d", i)))
		assert.Equal(t, []string{"v2"}, s.builds(fmt.Sprintf("v2-%d", i)))
	}
	// The first call need not wait, and a second may be let through at once.
	require.Greater(t, took, (2*each-2)*time.Minute/perMinute)
	t.Logf("%d creates in %v", 2*each, took.Round(100*time.Millisecond))
}
