#!/bin/sh
# go.temporal.io/server v1.32.1 does not compile next to go.temporal.io/sdk v1.51.0. The SDK requires
# go.temporal.io/api v1.64.3, which added a method to OperatorServiceClient, and three types of the
# server implement that interface. Go takes the newest api that any module requires, so a program
# that embeds the server stays at SDK v1.50.0, although no major version differs.
. "$(dirname "$0")/common"

failing=go.temporal.io/server/client/operator
for sdk in v1.50.0 v1.51.0; do
	rm -f go.mod go.sum
	go_get go.temporal.io/server@v1.32.1 go.temporal.io/sdk@$sdk $failing@v1.32.1
	echo "sdk $sdk, $(go list -m go.temporal.io/api)" >>seen
	go build $failing >build.log 2>&1 && echo "compiles" >>seen && continue
	sed -n 's/.*: \*\([A-Za-z]*\) does not implement \([A-Za-z.]*\) (\(.*\))$/\1 is no \2: \3/p' build.log | sort -u >>seen
done

expect "$(cat seen)" "sdk v1.50.0, go.temporal.io/api v1.63.5
compiles
sdk v1.51.0, go.temporal.io/api v1.64.3
clientImpl is no operatorservice.OperatorServiceClient: missing method DescribeNamespaceRestore
metricClient is no operatorservice.OperatorServiceClient: missing method DescribeNamespaceRestore
retryableClient is no operatorservice.OperatorServiceClient: missing method DescribeNamespaceRestore"
