/** Does the one act that an order's state names, and tells what came of it. */
import { LanyardError, describeError } from '@lanyard/sdk/kernel';
import type { Authority, AuthorityOrder, Authorization } from './authority.ts';
import type { ChallengeBoard } from './challenge-board.ts';
import type { IssuedChain, ReadIssuedChain } from './issued-chain.ts';
import { LIMIT_NAMES } from './budget/rate-limit.ts';
import type { LimitName } from './budget/rate-limit.ts';
import { failureOf } from './order-setback.ts';
import type { Order, OrderEvent, OrderState } from './order.ts';
import { hasExactly } from './standing.ts';

export interface ActPorts {
  readonly authority: Authority;
  readonly board: ChallengeBoard;
  readonly readChain: ReadIssuedChain;
}

export interface ActResult {
  readonly event: OrderEvent;
  /** With the event `collected`. */
  readonly certificate?: { readonly chain: string; readonly issued: IssuedChain };
}

/** What the world looks like to one act. */
export interface ActContext {
  readonly nowMs: number;
  readonly signal: AbortSignal;
  /** The act may have been done before: look first where doing it twice would be refused. */
  readonly isRepeat: boolean;
  /** The order as the CA showed it in the act just before: when it was placed, it need not be asked for again. */
  readonly shown?: AuthorityOrder | undefined;
}

/** Whether the order's next act is a request to the CA; the others are our own DNS. */
export function isAtAuthority({ state }: Order): boolean {
  return state.kind !== 'publishing' && state.kind !== 'clearing';
}

/** An act at the CA. Never throws: what goes wrong is an event, too. */
export async function actAtAuthority(ports: ActPorts, order: Order, context: ActContext): Promise<ActResult> {
  try {
    return await actOf(ports, order, order.state, context);
  } catch (error) {
    return { event: failureFrom(error) };
  }
}

/** An act of our own DNS. Never throws. */
export async function actAtBoard({ board }: Pick<ActPorts, 'board'>, { state }: Order): Promise<ActResult> {
  try {
    if (state.kind === 'publishing') {
      await Promise.all(state.challenges.map((challenge) => board.put(challenge)));
      return { event: { kind: 'published' } };
    }
    if (state.kind !== 'clearing') throw actless(state);
    await Promise.all(state.challenges.map((challenge) => board.clear(challenge)));
    return { event: { kind: 'cleared' } };
  } catch (error) {
    return { event: failureFrom(error) };
  }
}

function failureFrom(error: unknown): OrderEvent {
  const known = LanyardError.is(error) ? error : new LanyardError('internal', { cause: error });
  const { code, retryAfterMs } = known;
  const limit = code === 'authority-rate-limited' ? limitOf(known) : undefined;
  return { kind: 'failed', code, message: describeError(known), retryAfterMs, limit };
}

/** 503 is how Let's Encrypt answers above its ceilings per address; a limit is answered by 429 and usually named. */
function limitOf({ details }: LanyardError): LimitName | 'unnamed' | 'busy' {
  if (details['status'] === 503) return 'busy';
  return LIMIT_NAMES.find((name) => name === details['limit']) ?? 'unnamed';
}

async function actOf(ports: ActPorts, order: Order, state: OrderState, context: ActContext): Promise<ActResult> {
  const { authority } = ports;
  const { signal } = context;
  switch (state.kind) {
    case 'ordering': {
      const replaces = order.placement?.replaces;
      const placed = await authority.newOrder(
        { names: order.names, ...(replaces !== undefined && { replaces }) },
        signal,
      );
      return { event: { kind: 'ordered', order: placed } };
    }
    case 'authorizing':
      return { event: await readOrder(authority, await lookAt(authority, state.orderUrl, context), signal) };
    case 'triggering':
      await Promise.all(state.challenges.map((challenge) => trigger(authority, challenge, context)));
      return { event: { kind: 'triggered' } };
    case 'proving':
      return { event: await poll(authority, state, signal) };
    case 'finalizing':
      return { event: await finalize(authority, order, state, context) };
    case 'collecting':
      return await collect(ports, order, state, context);
    case 'waiting':
    case 'publishing':
    case 'clearing':
    case 'issued':
      throw actless(state);
  }
}

function actless({ kind }: OrderState): LanyardError {
  return new LanyardError('internal', { message: `an order that is ${kind} has no such act` });
}

/** The order as it stands at the CA; as it was shown just before, when that is still all there is to see. */
async function lookAt(authority: Authority, orderUrl: string, { shown, signal }: ActContext): Promise<AuthorityOrder> {
  return shown?.url === orderUrl ? shown : await authority.order(orderUrl, signal);
}

async function readOrder(authority: Authority, order: AuthorityOrder, signal: AbortSignal): Promise<OrderEvent> {
  if (order.status === 'invalid') return await invalid(authority, order, signal);
  if (order.status !== 'pending') return { kind: 'order-read', order, authorizations: [] };
  const authorizations = await readAuthorizations(authority, order, signal);
  const unprovable = authorizations.find(({ status, challenge }) => status === 'pending' && challenge === undefined);
  if (unprovable) {
    const message = `the CA offers no ${unprovable.challengeKind} challenge for ${unprovable.name}`;
    return { kind: 'failed', code: 'authority-refused', message, retryAfterMs: undefined };
  }
  return { kind: 'order-read', order, authorizations };
}

function readAuthorizations(
  authority: Authority,
  order: AuthorityOrder,
  signal: AbortSignal,
): Promise<Authorization[]> {
  return Promise.all(order.authorizationUrls.map((url) => authority.authorization(url, signal)));
}

/** An order turns invalid by its authorizations or by itself; the problem of either says why. */
async function invalid(authority: Authority, order: AuthorityOrder, signal: AbortSignal): Promise<OrderEvent> {
  const authorizations = order.problem ? [] : await readAuthorizations(authority, order, signal);
  const problem = order.problem ?? authorizations.find((authorization) => authorization.problem)?.problem;
  return failureOf(problem, 'the CA declared the order invalid without saying why');
}

async function trigger(
  authority: Authority,
  challenge: { readonly authorizationUrl: string; readonly challengeUrl: string },
  { isRepeat, signal }: ActContext,
): Promise<void> {
  // Some CAs refuse to be told a second time, once they have looked.
  if (isRepeat && (await authority.authorization(challenge.authorizationUrl, signal)).status !== 'pending') return;
  await authority.trigger(challenge.challengeUrl, signal);
}

async function poll(
  authority: Authority,
  state: Extract<OrderState, { kind: 'proving' }>,
  signal: AbortSignal,
): Promise<OrderEvent> {
  const order = await authority.order(state.orderUrl, signal);
  if (order.status === 'pending') return { kind: 'pending', retryAfterMs: order.retryAfterMs };
  if (order.status === 'invalid') return await invalid(authority, order, signal);
  return { kind: 'order-read', order, authorizations: [] };
}

async function finalize(
  authority: Authority,
  order: Order,
  state: Extract<OrderState, { kind: 'finalizing' }>,
  { isRepeat, signal }: ActContext,
): Promise<OrderEvent> {
  if (isRepeat) {
    const current = await authority.order(state.orderUrl, signal);
    if (current.status === 'invalid') return await invalid(authority, current, signal);
    if (current.status !== 'ready') return { kind: 'finalized', order: current };
  }
  try {
    return { kind: 'finalized', order: await authority.finalize(state.finalizeUrl, order.csr, signal) };
  } catch (error) {
    // RFC 8555 §7.4: an order that is not ready is refused, also when an earlier finalize is only now having its effect.
    // CAs say so as orderNotReady (`authority-protocol`) or as malformed (`authority-refused`): what counts is the order.
    if (!LanyardError.is(error, 'authority-protocol') && !LanyardError.is(error, 'authority-refused')) throw error;
    const current = await authority.order(state.orderUrl, signal);
    if (current.status === 'processing' || current.status === 'valid') return { kind: 'finalized', order: current };
    throw error;
  }
}

async function collect(
  ports: ActPorts,
  order: Order,
  state: Extract<OrderState, { kind: 'collecting' }>,
  { nowMs, signal }: ActContext,
): Promise<ActResult> {
  const { authority } = ports;
  const current = await authority.order(state.orderUrl, signal);
  if (current.status === 'invalid') return { event: await invalid(authority, current, signal) };
  if (current.status === 'ready') return { event: { kind: 'order-read', order: current, authorizations: [] } };
  if (current.status !== 'valid' || current.certificateUrl === undefined) {
    return { event: { kind: 'pending', retryAfterMs: current.retryAfterMs } };
  }
  const chain = await authority.certificate(current.certificateUrl, signal);
  const issued = ports.readChain(chain);
  checkFits(order, issued, nowMs);
  return { event: { kind: 'collected', fingerprint: issued.fingerprint }, certificate: { chain, issued } };
}

/** A CA's slip must not reach an appliance: it would refuse the certificate, and nobody would know why. */
function checkFits(order: Order, issued: IssuedChain, nowMs: number): void {
  const complaint =
    (issued.keyHash !== order.keyHash && 'is for another key') ||
    (!hasExactly(issued.names, order.names) &&
      `is for ${issued.names.join(', ')} instead of ${order.names.join(', ')}`) ||
    (issued.notAfterMs <= nowMs && 'has expired');
  if (complaint === false) return;
  throw new LanyardError('authority-protocol', { message: `the certificate that the CA returned ${complaint}` });
}
