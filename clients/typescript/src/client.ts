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
  NotFoundError,
  RefusedError,
  SessionError,
  VerificationError,
  decided,
  stateOf,
  workflowId,
  type Input,
  type Session,
  type Started,
  type State,
  type WireState,
} from './types.js';

type Verification = (input: Input) => Promise<WireState>;

const rounds = 5; // each but the first means that others changed the user's verification meanwhile
const outcomeKey = defineSearchAttributeKey('KycOutcome', 'KEYWORD');
const longestPause = 5_000; // between two looks of a waiter

/** The user's newest run. state is absent if it ended without a result. */
interface Found {
  runId: string;
  status: string;
  state?: State;
}

/** The update session that comes next. */
interface Ask {
  updateId: string;
  reuse: 'ALLOW_DUPLICATE' | 'REJECT_DUPLICATE';
}

/** The recipe: what to do about the user's newest run. session is the last answer of the update, which is frozen. */
function next(found: Found | undefined, reverify: boolean, session: Session | undefined): Started | Ask {
  if (!found) return { updateId: 'session', reuse: 'REJECT_DUPLICATE' };
  const { state } = found;
  if (!state || (state.outcome && (reverify || !decided(state)))) {
    // Everyone who saw this run or session end asks with the same id, so that they share one new session.
    const ended = (found.status === 'RUNNING' && state?.session_id) || found.runId;
    return { updateId: `session:${ended}`, reuse: 'ALLOW_DUPLICATE' };
  }
  if (state.outcome || state.status === 'In Review') return { state };
  if (!session) return { updateId: 'session', reuse: 'REJECT_DUPLICATE' };
  if (session.session_id !== state.session_id) {
    // The run has a newer session than the one it answered with.
    return { updateId: `session:${state.session_id}:url`, reuse: 'ALLOW_DUPLICATE' };
  }
  return { state, session };
}

/** Starts verifications and finds them. The client needs dataConverter where payloads are encrypted. */
export class Verifications {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Verifies a user and returns once there is a URL to open, a review to wait for, or a verdict.
   *
   * It may be called again, by many at once: all get the same session. Where Didit's limit makes users wait it waits too; a
   * deadline (`connection.withDeadline`) ends the waiting and not the verification. It throws SessionError if there can be
   * no session.
   */
  async start(input: Input): Promise<Started> {
    let reverify = input.reverify ?? false;
    let session: Session | undefined;
    for (let round = 0; round < rounds; round++) {
      const step = next(await this.#find(input.user_id), reverify, session);
      if ('state' in step) return step;
      session = await this.#session(input, step);
      reverify &&= !session;
    }
    throw new VerificationError(
      `start user ${input.user_id}: the verification changed with each of ${rounds} tries: call again`,
    );
  }

  /** How the user's newest verification stands; while it is open a worker must run. Throws NotFoundError, EndedError. */
  async state(userId: string): Promise<State> {
    const found = await this.#find(userId);
    if (!found) throw new NotFoundError(`read the state of user ${userId}: there is no verification: start one`);
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
      if (closed) await sleep(pause); // a verdict was taken back: a webhook begins the next run
      closed = await this.#closed(userId, pause);
    }
  }

  /**
   * Ends the open verification as cancelled and returns how it ended.
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

  /** Update-With-Start. undefined means that the run ended before it answered: look again. */
  async #session(input: Input, { updateId, reuse }: Ask): Promise<Session | undefined> {
    const start = new WithStartWorkflowOperation<Verification>('Verification', {
      workflowId: workflowId(input.user_id),
      taskQueue: 'kyc',
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: reuse,
      staticSummary: `Verify user ${input.user_id} at Didit`,
    });
    try {
      return await this.#client.workflow.executeUpdateWithStart<Verification, Session, [Input]>('session', {
        args: [input],
        updateId,
        startWorkflowOperation: start,
      });
    } catch (err) {
      if (err instanceof WorkflowExecutionAlreadyStartedError) return undefined;
      if (!(err instanceof WorkflowUpdateFailedError)) throw err;
      const [type, message] = why(err);
      // The type is the server's: the run was reset, terminated or ended.
      if (type === 'AcceptedUpdateCompletedWorkflow') return undefined;
      throw new SessionError(input.user_id, type, message);
    }
  }

  async #find(userId: string): Promise<Found | undefined> {
    const run = await this.#describe(userId);
    if (!run) return undefined;
    const found: Found = { runId: run.runId, status: run.status.name };
    const handle = this.#client.workflow.getHandle<Verification>(workflowId(userId), run.runId, { followRuns: false });
    if (found.status === 'COMPLETED') {
      found.state = stateOf(await handle.result());
    } else if (found.status === 'RUNNING' || found.status === 'CANCELLED') {
      found.state = stateOf(await handle.query<WireState, []>('state'));
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

  /** The search attribute is asked first: a query is work for a worker, and thousands may wait for weeks. */
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
