// Starts the verification of a user, prints the URL that the person must open, and waits for the verdict:
//   npx tsc && node verify.js USER
import { Client, Connection } from '@temporalio/client';
import { SessionError, Verifications, dataConverter } from 'didit-temporal';

const [userId] = process.argv.slice(2);
if (!userId) throw new Error('usage: verify.js USER');

const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
const client = new Client({
  connection,
  namespace: process.env.TEMPORAL_NAMESPACE ?? 'default',
  dataConverter: dataConverter(process.env.PAYLOAD_KEYS), // the worker's
});
const verifications = new Verifications(client);
try {
  const started = await verifications.start({ user_id: userId, return_url: 'https://shop.example/welcome' });
  if (started.session) console.log(started.session.url); // a secret: to open it is to act as the user
  console.log((await verifications.wait(userId)).outcome);
} catch (err) {
  if (!(err instanceof SessionError)) throw err;
  console.error(err.message); // err.type is such as DiditUnauthorized
  process.exitCode = 1;
} finally {
  await connection.close();
}
