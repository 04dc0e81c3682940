/** The input of a verification. Only user_id is required. */
export interface Input {
  /** Opaque: never an e-mail address or a name. */
  user_id: string;
  /** Didit's flow; the worker's by default. */
  workflow_id?: string;
  /** Of Didit's page, such as en or pt-BR. */
  language?: string;
  /** An absolute http(s) URL without personal data. */
  return_url?: string;
  /** A new session even if there is a verdict. */
  reverify?: boolean;
  priority?: 'interactive' | 'bulk';
}

/** The session that the user must open. Token and URL are secrets that allow to act as the user. */
export interface Session {
  session_id: string;
  session_token: string;
  url: string;
}

/** The result of one feature of Didit's flow. */
export interface Check {
  feature: string;
  status: string;
}

/** The state of a verification. */
export interface State {
  user_id: string;
  session_id: string;
  /** Didit's flow that gave this verdict; absent from a worker that does not report it. */
  workflow_id?: string;
  /** Didit's status, unchanged. */
  status: string;
  /** Empty while it waits; else approved, declined, expired, abandoned, lapsed, failed, cancelled or erased. */
  outcome: string;
  attempt: number;
  checks: Check[];
  warnings: string[];
  /** With the outcome failed. */
  error_type: string;
  /** RFC 3339 with up to nine digits of a second: a Date would lose six of them. Absent before Didit reports. */
  updated_at?: string;
  /** When Didit last confirmed it, in the format of updated_at. */
  checked_at?: string;
}

/** The answer to start: session is absent when the user has nothing to do (a verdict, or a review). */
export interface Started {
  state: State;
  session?: Session;
}

/** The base of this package's errors about a verification. */
export class VerificationError extends Error {
  override name = this.constructor.name;
}

/** The user id is invalid; nothing was sent. */
export class InvalidInputError extends VerificationError {}

/** The user has no verification, or Temporal has deleted it. */
export class NotFoundError extends VerificationError {}

/** The newest run ended without a result: it was terminated, or failed. Start the user again. */
export class EndedError extends VerificationError {}

/** The verification ended without a session. type is one of the documented error types. */
export class SessionError extends VerificationError {
  constructor(
    userId: string,
    readonly type: string,
    message: string,
  ) {
    super(`start user ${userId}: ${type}: ${message}`);
  }
}

/** The user's verification is of another flow than the input's workflow_id. have and want are ids of Didit's flows. */
export class FlowError extends VerificationError {
  constructor(
    userId: string,
    readonly have: string,
    readonly want: string,
  ) {
    super(
      `start user ${userId}: the verification is of flow ${have}, not ${want}: ` +
        'leave workflow_id out to take it, or set reverify for a session of the other flow',
    );
  }
}

/** The verification refused an operator action; the message has its state. */
export class RefusedError extends VerificationError {
  constructor(
    userId: string,
    readonly type: string,
    message: string,
  ) {
    super(`cancel user ${userId}: ${type}: ${message}`);
  }
}

/** Reports whether the state has Didit's verdict. */
export function decided(state: State): boolean {
  return state.outcome === 'approved' || state.outcome === 'declined';
}

/** Reports whether the state is of another flow than the input's. */
export function otherFlow(input: Input, state: State): boolean {
  const [have, want] = [state.workflow_id?.toLowerCase(), input.workflow_id?.toLowerCase()];
  return !!have && !!want && have !== want;
}

/** Reports whether the input requests another session than the state's. */
export function wantsAnother(input: Input, state: State): boolean {
  if (decided(state)) return input.reverify ?? false;
  return state.outcome !== '' || ((input.reverify ?? false) && otherFlow(input, state));
}

/** The id of a user's workflow. It throws InvalidInputError for an id that can name another workflow. */
export function workflowId(userId: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/.test(userId)) {
    throw new InvalidInputError(
      "user_id: want 1 to 128 letters, digits, '.', '_', ':' or '-', the first a letter or digit; " +
        'an opaque id, never an e-mail address or a name',
    );
  }
  return `kyc-${userId}`;
}

/** Go writes an empty list as null. */
export type WireState = Omit<State, 'checks' | 'warnings'> & { checks: Check[] | null; warnings: string[] | null };

/** The answer to the query verification: session is set while the user must act. */
export interface Snapshot {
  state: WireState;
  session?: Session;
}

/** Reads the result, or the state of an answer. */
export function stateOf(wire: WireState): State {
  return { ...wire, checks: wire.checks ?? [], warnings: wire.warnings ?? [] };
}
