#!/bin/sh
# npm standardwebhooks 1.1.1: verify() refuses the headers and bytes of a fetch Request. It reads
# only own keys of a plain object, so the headers are missing, and the bytes are no Buffer by name.
# Copies as a plain object and as text verify.
. "$(dirname "$0")/common"

npm_get standardwebhooks@1.1.1
cat >verify.js <<'JS'
const { Webhook } = require('standardwebhooks');

const webhook = new Webhook('whsec_' + Buffer.alloc(32, 1).toString('base64'));
const now = new Date();
const request = new Request('http://localhost/', {
  method: 'POST',
  body: '{"a":1}',
  headers: {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(now / 1000)),
    'webhook-signature': webhook.sign('msg_1', now, '{"a":1}'),
  },
});

function report(name, body, headers) {
  try {
    console.log(`${name}: ${JSON.stringify(webhook.verify(body, headers))}`);
  } catch (err) {
    console.log(`${name}: ${err.message}`);
  }
}

request.arrayBuffer().then((buffer) => {
  const bytes = new Uint8Array(buffer);
  const text = new TextDecoder().decode(bytes);
  const plain = Object.fromEntries(request.headers);
  report('text, headers of the request', text, request.headers);
  report('bytes, plain headers', bytes, plain);
  report('text, plain headers', text, plain);
});
JS

expect "$(node verify.js)" 'text, headers of the request: Missing required headers
bytes, plain headers: Expected payload to be of type string or Buffer.
text, plain headers: {"a":1}'
