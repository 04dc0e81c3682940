#!/bin/sh
# OTEL_EXPORTER_OTLP_TIMEOUT=60 is 60 milliseconds in OpenTelemetry's specification, in
# otlptracehttp v1.43.0 (Go) and in exporter-trace-otlp-http 0.223.1 (Node). It is 60 seconds in
# opentelemetry-exporter-otlp-proto-http 1.45.2 (Python). The specification's 10000 makes Python
# wait for almost three hours. The collector here answers after one second.
. "$(dirname "$0")/common"

pip_get opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2
npm_get @opentelemetry/sdk-trace-node@2.12.0 @opentelemetry/exporter-trace-otlp-http@0.223.1
go_get go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp@v1.43.0 \
	go.opentelemetry.io/otel/sdk@v1.44.0
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func main() {
	exporter, err := otlptracehttp.New(context.Background())
	if err == nil {
		err = exporter.ExportSpans(context.Background(), tracetest.SpanStubs{{Name: "s"}}.Snapshots())
	}
	fmt.Println("Go exported:", err == nil)
}
GO
go build -o export .
cat >export.js <<'JS'
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-http');
const { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } =
  require('@opentelemetry/sdk-trace-node');
const memory = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] });
provider.getTracer('t').startSpan('s').end();
new OTLPTraceExporter().export(memory.getFinishedSpans(), ({ code }) =>
  console.log('Node exported:', code === 0));
JS
cat >run.py <<'PY'
import http.server, os, subprocess, threading, time

class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(1)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
server.handle_error = lambda *args: None
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
os.environ["OTEL_EXPORTER_OTLP_TIMEOUT"] = "60"
for command in (["./export"], ["node", "export.js"]):
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider

span = TracerProvider().get_tracer("t").start_span("s")
span.end()
print("Python exported:", OTLPSpanExporter().export([span]).name == "SUCCESS")
PY

expect "$(venv/bin/python -u run.py)" "Go exported: false
Node exported: false
Python exported: True"
