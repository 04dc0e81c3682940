#!/bin/sh
# OTEL_EXPORTER_OTLP_ENDPOINT with a query, as some collectors behind gateways need it:
# otlptracehttp v1.43.0 (Go) drops the query silently, and
# opentelemetry-exporter-otlp-proto-http 1.45.2 (Python) appends the path to the query, so that the
# collector gets a path without /v1/traces.
. "$(dirname "$0")/common"

pip_get opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2
go_get go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp@v1.43.0 \
	go.opentelemetry.io/otel/sdk@v1.44.0
cat >main.go <<'GO'
package main

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func main() {
	exporter, err := otlptracehttp.New(context.Background())
	if err != nil {
		panic(err)
	}
	_ = exporter.ExportSpans(context.Background(), tracetest.SpanStubs{{Name: "s"}}.Snapshots())
}
GO
go build -o export .
cat >run.py <<'PY'
import http.server, os, subprocess, threading

class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        print(self.headers["User-Agent"].split("/")[0], "posts to", self.path, flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}/in?tenant=a"
subprocess.run(["./export"], check=True)

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider

span = TracerProvider().get_tracer("t").start_span("s")
span.end()
OTLPSpanExporter().export([span])
PY

expect "$(venv/bin/python run.py)" "OTel OTLP Exporter Go posts to /in/v1/traces
OTel-OTLP-Exporter-Python posts to /in?tenant=a/v1/traces"
