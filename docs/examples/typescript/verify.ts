// Starts the verification of a user, prints the URL that the person must open, and waits for the verdict:
//   npx tsx verify.ts USER
import {
  Client,
  Connection,
  WithStartWorkflowOperation,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';

export interface Input {
  user_id: string; // opaque: never an e-mail address or a name
  workflow_id?: string; // Didit's flow
  language?: string;
  return_url?: string;
  reverify?: boolean;
  priority?: 'interactive' | 'bulk';
  after_run?: string; // filled in by start
}

export interface Session {
  session_id: string;
  session_token: string;
  url: string;
  status: string;
}

export interface State {
  user_id: string;
  session_id: string;
  status: string; // Didit's word
  outcome: string; // empty while it waits
  attempt: number;
  checks: { feature: string; status: string }[] | null;
  warnings: string[] | null;
  error_type: string;
  updated_at?: string;
}

const idOf = (userId: string) => `kyc-${userId}`;

// start may be called again, by many at once: all get the same session. A verdict from before is returned as it is.
export async function start(client: Client, input: Input): Promise<{ session: Session } | { verdict: State }> {
  const workflowId = idOf(input.user_id);
  const closed = await lastClosedRun(client, workflowId);
  let updateId = 'session';
  if (closed) {
    const state = await result(client, workflowId, closed);
    if (state && (state.outcome === 'approved' || state.outcome === 'declined') && !input.reverify) {
      return { verdict: state };
    }
    updateId = `session:${closed}`; // all who saw that run end share one new run
    input = { ...input, after_run: closed };
  }
  const session = await client.workflow.executeUpdateWithStart<any, Session, []>('session', {
    updateId,
    startWorkflowOperation: new WithStartWorkflowOperation<any>('Verification', {
      workflowId,
      taskQueue: 'kyc',
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: closed ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
    }),
  });
  return { session };
}

// state tells how the user's newest verification stands; while it is open a worker must be running.
export async function state(client: Client, userId: string): Promise<State> {
  const handle = client.workflow.getHandle(idOf(userId));
  const { status } = await handle.describe();
  return status.name === 'RUNNING' ? handle.query<State, []>('state') : handle.result();
}

// wait returns the result of the user's newest verification, minutes to weeks later.
export async function wait(client: Client, userId: string): Promise<State> {
  return client.workflow.getHandle(idOf(userId)).result();
}

async function lastClosedRun(client: Client, workflowId: string): Promise<string | undefined> {
  try {
    const last = await client.workflow.getHandle(workflowId).describe();
    return last.status.name === 'RUNNING' ? undefined : last.runId;
  } catch (err) {
    if (err instanceof WorkflowNotFoundError) return undefined;
    throw err;
  }
}

// result is undefined for a run that was cancelled, terminated or failed: it has none.
async function result(client: Client, workflowId: string, runId: string): Promise<State | undefined> {
  try {
    return await client.workflow.getHandle(workflowId, runId).result();
  } catch (err) {
    if (err instanceof WorkflowFailedError) return undefined;
    throw err;
  }
}

async function main(userId: string): Promise<void> {
  const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
  try {
    const client = new Client({ connection, namespace: process.env.TEMPORAL_NAMESPACE ?? 'default' });
    const started = await start(client, { user_id: userId });
    if ('session' in started) console.log(started.session.url); // a secret: whoever opens it acts as the user
    const end = 'session' in started ? await wait(client, userId) : started.verdict;
    console.log(end.outcome);
  } catch (err) {
    if (!(err instanceof WorkflowUpdateFailedError)) throw err;
    console.error('no session:', (err.cause as { type?: string }).type); // such as DiditUnauthorized
    process.exitCode = 1;
  } finally {
    await connection.close();
  }
}

if (process.argv[2]) await main(process.argv[2]);
