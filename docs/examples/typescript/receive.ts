// Receives results at POST /kyc/results on port PORT: verifies, drops repeats, orders, then prints what changed.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook, WebhookVerificationError } from 'svix';

interface Message {
  type: string;
  data: { user_id: string; status: string; outcome: string; updated_at: string };
}

const webhook = new Webhook(process.env.RESULT_SECRET ?? ''); // whsec_...
const seen = new Set<string>(); // in production two tables and one transaction, as in the SQL below
const users = new Map<string, string>();

/** Reports whether the message is new: a repeat changes nothing, an older message nothing newer. */
function save(id: string, { data }: Message): boolean {
  if (seen.has(id)) return false;
  seen.add(id);
  const at = comparable(data.updated_at);
  if ((users.get(data.user_id) ?? '') >= at) return false;
  users.set(data.user_id, at);
  return true;
}

/** RFC 3339 with nine digits of a second, so that texts compare as times do: a Date has only three. */
function comparable(time: string): string {
  const [seconds = '', fraction = ''] = time.replace(/Z$/, '').split('.');
  return `${seconds}.${fraction.padEnd(9, '0')}`;
}

const server = createServer(async (request, response) => {
  const answer = (status: number) => response.writeHead(status).end();
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const headers = request.headers as Record<string, string>;
    webhook.verify(body, headers); // throws; what it returns is no use
    const message = JSON.parse(body.toString()) as Message;
    if (save(headers['webhook-id'] ?? '', message)) {
      console.log(message.type, message.data.user_id, message.data.outcome || message.data.status);
    }
    answer(204);
  } catch (err) {
    answer(err instanceof WebhookVerificationError ? 401 : 503); // 503: it comes again
  }
});
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
