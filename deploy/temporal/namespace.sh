#!/bin/sh
# Creates the namespace, or sets its retention if it exists. Needs TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE and
# RETENTION. Retention is our memory of past runs: how long a late verdict is compared with what was reported.
set -eu

# patiently runs a command until it succeeds, once a second for a minute; its last words are shown if it never does.
patiently() {
	tries=60
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		if [ "$tries" -eq 0 ]; then
			"$@"
			return
		fi
		sleep 1
	done
}

patiently temporal operator cluster health
if ! temporal operator namespace describe -n "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
	temporal operator namespace create -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi
# A new namespace takes some seconds to reach all parts of the server, and the next step needs them.
patiently temporal operator namespace update -n "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
patiently temporal workflow count -n "$TEMPORAL_NAMESPACE"
echo "namespace $TEMPORAL_NAMESPACE keeps closed runs for $RETENTION"
