#!/bin/sh
# opentelemetry-sdk 1.45.2 (Python) sets bit 1 of the trace flags ("random trace id"), so that its
# traceparent ends in 03. go.opentelemetry.io/otel v1.41.0 treats flags above 02 as an error and
# drops the whole header silently: the Go service starts a new trace. v1.42.0 reads it.
. "$(dirname "$0")/common"

pip_get opentelemetry-sdk==1.45.2
header=$(venv/bin/python - <<'PY'
from opentelemetry.propagate import inject
from opentelemetry.sdk.trace import TracerProvider

with TracerProvider().get_tracer("t").start_as_current_span("s"):
    carrier = {}
    inject(carrier)
print(carrier["traceparent"])
PY
)

cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	carrier := propagation.MapCarrier{"traceparent": os.Args[1]}
	ctx := propagation.TraceContext{}.Extract(context.Background(), carrier)
	fmt.Println(trace.SpanContextFromContext(ctx).IsValid())
}
GO
for version in v1.41.0 v1.42.0; do
	rm -f go.mod go.sum
	go_get go.opentelemetry.io/otel@$version go.opentelemetry.io/otel/trace@$version
	echo "otel $version keeps the caller's trace: $(go run . "$header")" >>seen
done

expect "flags ${header##*-}
$(cat seen)" "flags 03
otel v1.41.0 keeps the caller's trace: false
otel v1.42.0 keeps the caller's trace: true"
