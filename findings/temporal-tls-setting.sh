#!/bin/sh
# Temporal's own packages read one environment in three ways: temporalio 1.35.0 (Python),
# @temporalio/envconfig 1.24.0 and sdk/contrib/envconfig v1.0.2 (Go).
# TEMPORAL_TLS: any unknown word enables TLS in Python, even "off". TypeScript accepts exactly "true"
# and "1", so TRUE is off there. Go ignores an unknown word.
# An empty TEMPORAL_API_KEY, as a compose file passes it, is a key in Python and TypeScript, and a
# key enables TLS. In Go it is none.
. "$(dirname "$0")/common"

pip_get temporalio==1.35.0
npm_get @temporalio/envconfig@1.24.0
go_get go.temporal.io/sdk/contrib/envconfig@v1.0.2 go.temporal.io/sdk@v1.50.0
cat >read.py <<'PY'
from temporalio.envconfig import ClientConfig

print("on" if ClientConfig.load_client_connect_config().get("tls") else "off")
PY
cat >read.js <<'JS'
const { loadClientConnectConfig } = require('@temporalio/envconfig');
console.log(loadClientConnectConfig().connectionOptions.tls ? 'on' : 'off');
JS
cat >main.go <<'GO'
package main

import (
	"fmt"

	"go.temporal.io/sdk/contrib/envconfig"
)

func main() {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		panic(err)
	}
	words := map[bool]string{true: "on", false: "off"}
	fmt.Println(words[options.ConnectionOptions.TLS != nil])
}
GO
go build -o read .

for setting in TEMPORAL_TLS=true TEMPORAL_TLS=TRUE TEMPORAL_TLS=yes TEMPORAL_TLS=off TEMPORAL_API_KEY=; do
	export "${setting?}"
	echo "$setting: Python $(venv/bin/python read.py), TypeScript $(node read.js), Go $(./read)" >>seen
	unset "${setting%%=*}"
done

expect "$(cat seen)" "TEMPORAL_TLS=true: Python on, TypeScript on, Go on
TEMPORAL_TLS=TRUE: Python on, TypeScript off, Go on
TEMPORAL_TLS=yes: Python on, TypeScript off, Go off
TEMPORAL_TLS=off: Python on, TypeScript off, Go off
TEMPORAL_API_KEY=: Python on, TypeScript on, Go off"
