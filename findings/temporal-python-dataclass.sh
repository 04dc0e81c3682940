#!/bin/sh
# temporalio 1.35.0 (Python) reads what go.temporal.io/sdk v1.50.0 writes into a dataclass: a nil
# slice is null and fails a list field, bytes are base64 text and fail a bytes field (Python writes
# them as a list of numbers, which Go reads), and 1.5 for an int field is 1 without an error.
. "$(dirname "$0")/common"

pip_get temporalio==1.35.0
go_get go.temporal.io/sdk@v1.50.0
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"

	"go.temporal.io/sdk/converter"
)

type message struct {
	Name  string   `json:"name"`
	Value any      `json:"value"`
}

func main() {
	for _, m := range []message{{"names", []string(nil)}, {"data", []byte("hi")}, {"count", 1.5}} {
		payload, err := converter.GetDefaultDataConverter().ToPayload(map[string]any{m.Name: m.Value})
		if err != nil {
			panic(err)
		}
		fmt.Println(string(payload.Data))
	}
	payload, _ := converter.GetDefaultDataConverter().ToPayload(nil)
	payload.Metadata["encoding"], payload.Data = []byte("json/plain"), []byte(os.Args[1])
	var back struct{ Data []byte }
	err := converter.GetDefaultDataConverter().FromPayload(payload, &back)
	fmt.Fprintf(os.Stderr, "Go reads %s: %q %v\n", os.Args[1], back.Data, err)
}
GO
cat >read.py <<'PY'
import dataclasses
import sys
from typing import List

from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter

@dataclasses.dataclass
class Message:
    names: List[str] = dataclasses.field(default_factory=list)
    data: bytes = b""
    count: int = 0

converter = DataConverter.default.payload_converter
if len(sys.argv) > 1:
    print(converter.to_payload(Message(data=b"hi")).data.decode())
else:
    for line in sys.stdin:
        payload = Payload(metadata={"encoding": b"json/plain"}, data=line.strip().encode())
        try:
            print(f"{line.strip()}: {converter.from_payload(payload, Message)}")
        except TypeError as err:
            print(f"{line.strip()}: {err.args[0].split(' on ')[0]}")
PY

go run . "$(venv/bin/python read.py write)" >go.out 2>go.err
expect "$(venv/bin/python read.py <go.out)
$(cat go.err)" '{"names":null}: Failed converting field names
{"data":"aGk="}: Failed converting field data
{"count":1.5}: Message(names=[], data=b'"''"', count=1)
Go reads {"count":0,"data":[104,105],"names":[]}: "hi" <nil>'
