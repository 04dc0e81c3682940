// The custom resources that the chart can make: their definitions are files of these modules, of which nothing is compiled.
module didit-temporal/dev/tools/crds

go 1.26.0

require (
	github.com/kedacore/keda/v2 v2.21.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
)
