package main

import (
	"time"

	"go.temporal.io/server/common/dynamicconfig"
)

// processorRPS lifts the default of 20 polls a second, which with one shard makes every step wait up to 50 ms.
const processorRPS = 2000

func dynamicConfig(o *Options) dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		dynamicconfig.TransferProcessorMaxPollRPS.Key():   always(processorRPS),
		dynamicconfig.TimerProcessorMaxPollRPS.Key():      always(processorRPS),
		dynamicconfig.VisibilityProcessorMaxPollRPS.Key(): always(processorRPS),
		// A run is deleted when its queues are known to have come past its end. By default that is half a minute later.
		dynamicconfig.TransferProcessorUpdateAckInterval.Key():   always(time.Second),
		dynamicconfig.VisibilityProcessorUpdateAckInterval.Key(): always(time.Second),
		// A new search attribute counts at once, not when a cache expires.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): always(!o.CachedAttributes),
		// So what touches one reads the database more often than in production. A burst of them must not be refused.
		dynamicconfig.FrontendPersistenceMaxQPS.Key(): always(20_000),
		// Tests list runs in a loop.
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): always(100),
		// By default the server reports to its vendor once a day.
		dynamicconfig.EnableServerVersionCheck.Key(): always(false),
		// Or a worker that stops leaves tasks behind that it was just given: a START then waits ten seconds for another worker.
		dynamicconfig.EnableCancelWorkerPollsOnShutdown.Key():   always(true),
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  onQueues(1, o.SinglePartition),
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): onQueues(1, o.SinglePartition),
	}
}

// always wraps the value itself: StaticClient would make a new slice at every look-up and defeat the server's cache.
func always(value any) []dynamicconfig.ConstrainedValue {
	return []dynamicconfig.ConstrainedValue{{Value: value}}
}

func onQueues(value any, queues []string) []dynamicconfig.ConstrainedValue {
	out := make([]dynamicconfig.ConstrainedValue, 0, len(queues))
	for _, q := range queues {
		out = append(out, dynamicconfig.ConstrainedValue{
			Constraints: dynamicconfig.Constraints{TaskQueueName: q},
			Value:       value,
		})
	}
	return out
}
