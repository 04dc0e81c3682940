#!/bin/sh
# NaN as an argument or a result: go.temporal.io/sdk v1.50.0 refuses to send it, @temporalio/common
# 1.24.0 (TypeScript) sends null silently, and temporalio 1.35.0 (Python) sends the text NaN
# as json/plain, which is not JSON: the other two cannot read that payload.
. "$(dirname "$0")/common"

pip_get temporalio==1.35.0
npm_get @temporalio/common@1.24.0
go_get go.temporal.io/sdk@v1.50.0
cat >main.go <<'GO'
package main

import (
	"fmt"
	"math"
	"os"

	"go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
)

func main() {
	_, err := converter.GetDefaultDataConverter().ToPayload(math.NaN())
	fmt.Println("Go sends it:", err == nil)
	python := &common.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(os.Args[1])}
	var value any
	fmt.Println("Go reads Python's:", converter.GetDefaultDataConverter().FromPayload(python, &value) == nil)
}
GO
cat >send.js <<'JS'
const { defaultPayloadConverter } = require('@temporalio/common');
const payload = defaultPayloadConverter.toPayload(NaN);
console.log('TypeScript sends:', Buffer.from(payload.data).toString());
const python = { metadata: payload.metadata, data: Buffer.from(process.argv[2]) };
let read = true;
try { defaultPayloadConverter.fromPayload(python); } catch { read = false; }
console.log("TypeScript reads Python's:", read);
JS
python=$(venv/bin/python -c 'from temporalio.converter import DataConverter
print(DataConverter.default.payload_converter.to_payload(float("nan")).data.decode())')

expect "Python sends: $python
$(node send.js "$python")
$(go run . "$python")" "Python sends: NaN
TypeScript sends: null
TypeScript reads Python's: false
Go sends it: false
Go reads Python's: false"
