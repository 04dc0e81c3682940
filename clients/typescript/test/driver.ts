// Does what the lines on stdin say, all at once, so that one test can drive the clients of all languages. A line is
// {"id", "do": "start"|"state"|"wait"|"cancel", ...}; its answer is {"id", "ok"} or {"id", "error", "type", "message"}.
import { createInterface } from 'node:readline';
import { Client, Connection } from '@temporalio/client';
import { Verifications, dataConverter, type Input } from '../src/index.js';

type Order = { id: number } & (
  | { do: 'start'; input: Input }
  | { do: 'state' | 'wait' | 'cancel'; user_id: string }
);

const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS']! });
const verifications = new Verifications(new Client({ connection, dataConverter: dataConverter(process.env['PAYLOAD_KEYS']) }));

async function carryOut(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'start':
      return verifications.start(order.input);
    case 'state':
      return { state: await verifications.state(order.user_id) };
    case 'wait':
      return { state: await verifications.wait(order.user_id) };
    case 'cancel':
      return { state: await verifications.cancel(order.user_id, { actor: 'ops.anna', reason: 'duplicate:CASE-1' }) };
  }
}

async function answer(order: Order): Promise<void> {
  let reply: object;
  try {
    reply = { ok: await carryOut(order) };
  } catch (err) {
    const { name, type, message } = err as { name: string; type?: string; message: string };
    reply = { error: name, type, message };
  }
  console.log(JSON.stringify({ id: order.id, ...reply }));
}

const answers: Promise<void>[] = [];
for await (const line of createInterface({ input: process.stdin })) answers.push(answer(JSON.parse(line) as Order));
await Promise.all(answers);
await connection.close();
