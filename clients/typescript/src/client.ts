import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure, defineSearchAttributeKey } from '@temporalio/common';
import {
  EndedError,
  FlowError,
  NotFoundError,
  RefusedError,
  SessionError,
  VerificationError,
  otherFlow,
  stateOf,
  wantsAnother,
  workflowId,
  type Input,
  type Session,
  type Snapshot,
  type Started,
  type State,
  type WireState,
} from './types.js';

type Verification = (input: Input) => Promise<WireState>;

const rounds = 5; // each but the first means that others changed the user's verification meanwhile
const outcomeKey = defineSearchAttributeKey('KycOutcome', 'KEYWORD');
const longestPause = 5_000; // between two polls of a waiter
const freshFor = 60_000; // for this long a link is returned again without a poll of Didit: it may expire, and that webhook be lost
const checkWithin = 3_000; // how long a caller waits for Didit before it gets an old link

/** The user's newest run. state is absent if it ended without an outcome; session is what the user must open now. */
interface Found {
  runId: string;
  status: string;
  state?: State;
  session?: Session;
}

/** The next update session. confirms: Didit is polled before a link that may have expired is returned again. */
interface Ask {
  updateId: string;
  reuse: 'ALLOW_DUPLICATE' | 'REJECT_DUPLICATE';
  confirms?: boolean;
}

/** The next update for the user's newest run. It throws FlowError. */
function next(found: Found | undefined, input: Input, checked: boolean): Started | Ask {
  if (!found) return { updateId: 'session', reuse: 'REJECT_DUPLICATE' };
  const { state, session } = found;
  if (!state || (found.status !== 'RUNNING' && wantsAnother(input, state))) {
    return { updateId: `session:${found.runId}`, reuse: 'ALLOW_DUPLICATE' };
  }
  if (wantsAnother(input, state)) return { updateId: seen(state, input), reuse: 'REJECT_DUPLICATE' };
  if (otherFlow(input, state)) throw new FlowError(input.user_id, state.workflow_id!, input.workflow_id!);
  if (!state.outcome && !state.session_id) return { updateId: 'session', reuse: 'REJECT_DUPLICATE' };
  if (session && !checked && Date.now() - milliseconds(state.checked_at) > freshFor) {
    return { updateId: seen(state, input), reuse: 'REJECT_DUPLICATE', confirms: true };
  }
  return session ? { state, session } : { state };
}

/** The update id for this state, which all callers that see it share, so that a thousand calls are one update. */
function seen(state: State, { reverify }: Input): string {
  const at = Math.max(milliseconds(state.updated_at), milliseconds(state.checked_at));
  return `session:${state.session_id}:${at}${reverify ? ':reverify' : ''}`;
}

const milliseconds = (time: string | undefined) => (time ? Date.parse(time) : 0);

/** Starts verifications and finds them. If payloads are encrypted, the client needs dataConverter. */
export class Verifications {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Verifies a user and returns once there is a URL to open, a review to wait for, or a verdict.
   *
   * Repeated and concurrent calls get the same session. If users wait in the queue because of Didit's limit, it waits too; a
   * deadline (`connection.withDeadline`) ends the wait and not the verification. It throws SessionError if there can be
   * no session, FlowError if the user's verification is of another flow than the input's.
   */
  async start(input: Input): Promise<Started> {
    let checked = false;
    for (let round = 0; round < rounds; round++) {
      const step = next(await this.#find(input.user_id), input, checked);
      if ('state' in step) return step;
      if (step.confirms) {
        await this.#confirm(input, step);
        checked = true;
      } else if ((await this.#session(input, step)) && step.updateId !== 'session') {
        // Another caller may have begun the run that 'session' joins.
        input = { ...input, reverify: false };
      }
    }
    throw new VerificationError(
      `start user ${input.user_id}: the verification changed with each of ${rounds} tries: call again`,
    );
  }

  /** The state of the user's newest verification; while it is open a worker must run. Throws NotFoundError, EndedError. */
  async state(userId: string): Promise<State> {
    const found = await this.#find(userId);
    if (!found || (!found.state && found.status === 'COMPLETED'))
      throw new NotFoundError(`read the state of user ${userId}: there is no verification: start one`);
    if (!found.state) {
      throw new EndedError(
        `read the state of user ${userId}: run ${found.runId} ended without a result (${found.status}): start the user again`,
      );
    }
    return found.state;
  }

  /** The state once there is an outcome, minutes to weeks later. It follows the user over resets and new runs. */
  async wait(userId: string): Promise<State> {
    let closed = false;
    for (let pause = 1_000; ; pause = Math.min(2 * pause, longestPause)) {
      const state = await this.#stateWithOutcome(userId);
      if (state) return state;
      if (closed) await sleep(pause); // a verdict was withdrawn: a webhook starts the next run
      closed = await this.#closed(userId, pause);
    }
  }

  /**
   * Cancels the open verification and returns its final state.
   *
   * actor is the operator's name in your directory, reason a code and a ticket such as duplicate:CASE-1042; neither names
   * the user. It throws RefusedError if the verification has ended, NotFoundError if there is none.
   */
  async cancel(userId: string, by: { actor: string; reason: string }): Promise<State> {
    const handle = this.#client.workflow.getHandle(workflowId(userId));
    try {
      return stateOf(await handle.executeUpdate<WireState, [typeof by]>('cancel', { args: [by], updateId: 'cancel' }));
    } catch (err) {
      if (err instanceof WorkflowUpdateFailedError) throw new RefusedError(userId, ...why(err));
      if (!(err instanceof WorkflowNotFoundError)) throw err;
    }
    const { outcome } = await this.state(userId);
    throw new RefusedError(userId, 'OperationRefused', `the verification has ended: ${outcome}`);
  }

  /** Waits until Didit has confirmed the link, or has replaced it; if Didit does not answer in time, the link is returned as it is. */
  async #confirm(input: Input, ask: Ask): Promise<void> {
    try {
      await this.#client.connection.withAbortSignal(AbortSignal.timeout(checkWithin), () => this.#session(input, ask));
    } catch (err) {
      if (err instanceof VerificationError) throw err;
    }
  }

  /** Update-With-Start. false means that the run ended before it answered: read it again. */
  async #session(input: Input, { updateId, reuse }: Ask): Promise<boolean> {
    const start = new WithStartWorkflowOperation<Verification>('Verification', {
      workflowId: workflowId(input.user_id),
      taskQueue: 'kyc',
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: reuse,
      staticSummary: `Verify user ${input.user_id} at Didit`,
    });
    try {
      await this.#client.workflow.executeUpdateWithStart<Verification, Session, [Input]>('session', {
        args: [input],
        updateId,
        startWorkflowOperation: start,
      });
      return true;
    } catch (err) {
      if (err instanceof WorkflowExecutionAlreadyStartedError) return false;
      if (!(err instanceof WorkflowUpdateFailedError)) throw err;
      const [type, message] = why(err);
      // The type is the server's: the run was reset, terminated or ended.
      if (type === 'AcceptedUpdateCompletedWorkflow') return false;
      throw new SessionError(input.user_id, type, message);
    }
  }

  async #find(userId: string): Promise<Found | undefined> {
    const run = await this.#describe(userId);
    if (!run) return undefined;
    const found: Found = { runId: run.runId, status: run.status.name };
    const handle = this.#client.workflow.getHandle<Verification>(workflowId(userId), run.runId, { followRuns: false });
    if (found.status === 'COMPLETED') {
      const state = stateOf(await handle.result());
      if (state.user_id) found.state = state; // else: an event of a session that is not ours
    } else if (found.status === 'RUNNING' || found.status === 'CANCELLED') {
      const { state, session } = await handle.query<Snapshot, []>('verification');
      if (found.status === 'RUNNING' || state.outcome) found.state = stateOf(state);
      if (session) found.session = session;
    }
    return found;
  }

  async #describe(userId: string) {
    try {
      return await this.#client.workflow.getHandle(workflowId(userId)).describe();
    } catch (err) {
      if (err instanceof WorkflowNotFoundError) return undefined;
      throw err;
    }
  }

  /** Reads the search attribute first: a query costs a worker, and thousands of callers may wait for weeks. */
  async #stateWithOutcome(userId: string): Promise<State | undefined> {
    const run = await this.#describe(userId);
    if (run?.status.name === 'RUNNING' && !run.typedSearchAttributes.get(outcomeKey)) return undefined;
    const state = await this.state(userId);
    return state.outcome ? state : undefined;
  }

  /** Waits that long for the newest run to close and reports whether it has: a run may stay open after its outcome. */
  async #closed(userId: string, milliseconds: number): Promise<boolean> {
    const { connection } = this.#client;
    try {
      const handle = this.#client.workflow.getHandle(workflowId(userId));
      await connection.withAbortSignal(AbortSignal.timeout(milliseconds), () => handle.result());
      return true;
    } catch (err) {
      return err instanceof WorkflowFailedError;
    }
  }
}

function why({ cause, message }: WorkflowUpdateFailedError): [type: string, message: string] {
  if (cause instanceof ApplicationFailure) return [cause.type ?? '', cause.message];
  return ['', cause?.message ?? message];
}
