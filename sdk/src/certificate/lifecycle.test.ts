/** Every state of the lifecycle against every event. */
import { describe, expect, test } from 'vitest';
import { LanyardError } from '../kernel/errors.ts';
import type { Problem } from '../protocol/problem.ts';
import type { ProblemCode } from '../protocol/problems.ts';
import type { Todo } from '../protocol/state.ts';
import { csrId, initialState, next, wakesAtMs } from './lifecycle.ts';
import type { Command, Event, Held, PendingKey, Phase, State } from './lifecycle.ts';

const NOW = 1_000_000;
const NAMES = ['box.devices.example'];
const OLD: Held = { fingerprint: 'f0'.repeat(32), keyHash: '00'.repeat(32), notAfterMs: 5_000_000, names: NAMES };
const PENDING: PendingKey = { keyHash: '11'.repeat(32), names: NAMES };
const FRESH: Held = { fingerprint: 'f1'.repeat(32), keyHash: PENDING.keyHash, notAfterMs: 9_000_000, names: NAMES };
const ERROR = new LanyardError('vault-unwritable');

const PHASES: { readonly [K in Phase['kind']]: Extract<Phase, { kind: K }> } = {
  idle: { kind: 'idle' },
  'making-key': { kind: 'making-key' },
  requesting: { kind: 'requesting', attempt: 1, sentAtMs: NOW - 10_000 },
  waiting: { kind: 'waiting', attempt: 1, checkAtMs: NOW + 60_000 },
  installing: { kind: 'installing' },
  blocked: { kind: 'blocked', untilMs: NOW + 60_000 },
};

const EVENTS: { readonly [K in Event['kind']]: Extract<Event, { kind: K }> } = {
  'link-up': { kind: 'link-up' },
  'link-down': { kind: 'link-down' },
  'state-received': said({ kind: 'request', reason: 'renewal' }),
  'key-made': { kind: 'key-made', pending: PENDING },
  accepted: { kind: 'accepted', keyHash: PENDING.keyHash, etaMs: 1000 },
  issued: issued(FRESH),
  installed: { kind: 'installed', held: FRESH },
  refused: { kind: 'refused', error: new LanyardError('certificate-refused') },
  failed: { kind: 'failed', error: ERROR },
  problem: problem('rate-limited', { id: csrId(PENDING.keyHash), retryAfterSeconds: 120 }),
  'addresses-changed': { kind: 'addresses-changed' },
  timer: { kind: 'timer' },
};

interface Expected {
  readonly to: Phase['kind'];
  readonly commands: readonly Command['kind'][];
}

const stay = (to: Phase['kind'], ...commands: readonly Command['kind'][]): Expected => ({ to, commands });

/** A cell that is missing does not compile. In conversation, with a certificate in use and a pending key. */
const TABLE: Record<Phase['kind'], Record<Event['kind'], Expected>> = {
  idle: {
    'link-up': stay('idle', 'say-hello'),
    'link-down': stay('idle'),
    'state-received': { to: 'requesting', commands: ['send-csr'] },
    'key-made': stay('idle'),
    accepted: { to: 'waiting', commands: [] },
    issued: { to: 'installing', commands: ['install'] },
    installed: stay('idle', 'send-installed'),
    refused: stay('idle', 'report'),
    failed: stay('idle', 'report'),
    problem: { to: 'blocked', commands: ['report'] },
    'addresses-changed': stay('idle', 'say-hello'),
    timer: stay('idle'),
  },
  'making-key': {
    'link-up': stay('making-key', 'say-hello'),
    'link-down': stay('making-key'),
    'state-received': stay('making-key'),
    'key-made': { to: 'requesting', commands: ['send-csr'] },
    accepted: stay('making-key'),
    issued: stay('making-key'),
    installed: stay('making-key', 'send-installed'),
    refused: { to: 'blocked', commands: ['report'] },
    failed: { to: 'blocked', commands: ['report'] },
    problem: stay('making-key', 'report'),
    'addresses-changed': stay('making-key', 'say-hello'),
    timer: stay('making-key'),
  },
  requesting: {
    'link-up': stay('requesting', 'say-hello'),
    'link-down': stay('requesting'),
    'state-received': stay('requesting', 'send-csr'),
    'key-made': stay('requesting'),
    accepted: { to: 'waiting', commands: [] },
    issued: { to: 'installing', commands: ['install'] },
    installed: stay('requesting', 'send-installed'),
    refused: stay('requesting', 'report'),
    failed: stay('requesting', 'report'),
    problem: { to: 'blocked', commands: ['report'] },
    'addresses-changed': stay('requesting', 'say-hello'),
    timer: stay('requesting'),
  },
  waiting: {
    'link-up': stay('waiting', 'say-hello'),
    'link-down': stay('waiting'),
    'state-received': { to: 'requesting', commands: ['send-csr'] },
    'key-made': stay('waiting'),
    accepted: stay('waiting'),
    issued: { to: 'installing', commands: ['install'] },
    installed: stay('waiting', 'send-installed'),
    refused: stay('waiting', 'report'),
    failed: stay('waiting', 'report'),
    problem: { to: 'blocked', commands: ['report'] },
    'addresses-changed': stay('waiting', 'say-hello'),
    timer: stay('waiting'),
  },
  installing: {
    'link-up': stay('installing', 'say-hello'),
    'link-down': stay('installing'),
    'state-received': stay('installing'),
    'key-made': stay('installing'),
    accepted: stay('installing'),
    issued: stay('installing'),
    installed: { to: 'idle', commands: ['send-installed'] },
    refused: { to: 'blocked', commands: ['report'] },
    failed: { to: 'blocked', commands: ['report'] },
    problem: stay('installing', 'report'),
    'addresses-changed': stay('installing', 'say-hello'),
    timer: stay('installing'),
  },
  blocked: {
    'link-up': stay('blocked', 'say-hello'),
    'link-down': stay('blocked'),
    'state-received': stay('blocked'),
    'key-made': stay('blocked'),
    accepted: { to: 'waiting', commands: [] },
    issued: { to: 'installing', commands: ['install'] },
    installed: stay('blocked', 'send-installed'),
    refused: stay('blocked', 'report'),
    failed: stay('blocked', 'report'),
    problem: stay('blocked', 'report'),
    'addresses-changed': stay('blocked', 'say-hello'),
    timer: stay('blocked'),
  },
};

describe('every state meets every event', () => {
  for (const phase of Object.values(PHASES)) {
    for (const event of Object.values(EVENTS)) {
      const expected = TABLE[phase.kind][event.kind];
      test(`${phase.kind} + ${event.kind} → ${expected.to}`, () => {
        const { state, commands } = next(stateIn(phase), event, NOW);
        expect({ to: state.phase.kind, commands: commands.map(({ kind }) => kind) }).toEqual(expected);
      });
    }
  }
});

describe('what the broker wants is done', () => {
  test('without a pending key one is made for exactly the assigned names', () => {
    const step = next(stateIn(PHASES.idle, { pending: undefined }), said({ kind: 'request', reason: 'first' }), NOW);
    expect(step.commands).toEqual([{ kind: 'make-key', names: NAMES }]);
  });

  test('a key that survived a reboot is asked for again', () => {
    const start = initialState({ held: OLD, pending: PENDING }, 0);
    const hello = next(start, { kind: 'link-up' }, NOW);
    const step = next(hello.state, said({ kind: 'request', reason: 'renewal' }), NOW);
    expect(step.commands).toEqual([{ kind: 'send-csr', pending: PENDING }]);
  });

  test.each(['key-unknown', 'replaced'] as const)('a new key is made when the reason is %s', (reason) => {
    expect(kinds(next(stateIn(PHASES.idle), said({ kind: 'request', reason }), NOW).commands)).toEqual(['make-key']);
  });

  test('a key that was made for "replaced" and is not answered yet is not replaced again', () => {
    const step = next(stateIn(PHASES.requesting), said({ kind: 'request', reason: 'replaced' }), NOW);
    expect(step.commands).toEqual([{ kind: 'send-csr', pending: PENDING }]);
  });

  test('a new key is made when the names are others', () => {
    const other = { ...said({ kind: 'request', reason: 'names-changed' }), names: ['other.devices.example'] };
    expect(next(stateIn(PHASES.requesting), other, NOW).commands).toEqual([
      { kind: 'make-key', names: ['other.devices.example'] },
    ]);
  });

  test('names that change while the key is made lead to a key for the new ones', () => {
    const moved = next(stateIn(PHASES['making-key']), { ...EVENTS['state-received'], names: ['new.example'] }, NOW);
    const step = next(moved.state, EVENTS['key-made'], NOW);
    expect(step.commands).toEqual([{ kind: 'make-key', names: ['new.example'] }]);
  });

  test('nothing is asked for while the broker has assigned no name', () => {
    const event = { ...said({ kind: 'request', reason: 'first' }), names: [] };
    expect(next(stateIn(PHASES.idle), event, NOW)).toMatchObject({ state: { phase: { kind: 'idle' } }, commands: [] });
  });

  test('two states in a row do not send the request twice', () => {
    const first = next(stateIn(PHASES.idle), EVENTS['state-received'], NOW);
    expect(next(first.state, EVENTS['state-received'], NOW + 100).commands).toEqual([]);
  });

  test('the certificate in use is confirmed again when the broker asks to install it', () => {
    for (const phase of Object.values(PHASES)) {
      const step = next(stateIn(phase), said({ kind: 'install', fingerprint: OLD.fingerprint }), NOW);
      expect(step.commands).toEqual([{ kind: 'send-installed', fingerprint: OLD.fingerprint }]);
    }
  });

  test('a state that arrives after the line is gone is not believed', () => {
    const start = stateIn(PHASES.idle, { line: { kind: 'down' } });
    expect(next(start, EVENTS['state-received'], NOW)).toEqual({ state: start, commands: [] });
  });

  test('a state in which the broker speaks first ends a block', () => {
    const step = next(stateIn(PHASES.blocked), { ...EVENTS['state-received'], isAnswer: false }, NOW);
    expect(kinds(step.commands)).toEqual(['send-csr']);
  });
});

describe('certificates that do not fit are refused', () => {
  test('one for a key that is not here is reported and changes nothing', () => {
    const start = stateIn(PHASES.waiting);
    const { state, commands } = next(start, issued({ ...FRESH, keyHash: '99'.repeat(32) }), NOW);
    expect(state).toEqual(start);
    expect(commands).toMatchObject([{ kind: 'report', error: { code: 'certificate-refused' } }]);
  });

  test('one for the key in use is taken only when it expires later', () => {
    const start = stateIn(PHASES.idle);
    const worse = issued({ ...OLD, fingerprint: 'aa'.repeat(32), notAfterMs: OLD.notAfterMs });
    const better = issued({ ...OLD, fingerprint: 'aa'.repeat(32), notAfterMs: OLD.notAfterMs + 1 });
    expect(kinds(next(start, worse, NOW).commands)).toEqual(['report']);
    expect(kinds(next(start, better, NOW).commands)).toEqual(['install']);
  });
});

describe('problems are obeyed', () => {
  test('the wait that the broker asks for is kept, and then hello is said', () => {
    const blocked = next(stateIn(PHASES.requesting), EVENTS.problem, NOW).state;
    expect(wakesAtMs(blocked)).toBe(NOW + 120_000);
    expect(next(blocked, { kind: 'timer' }, NOW + 119_999).commands).toEqual([]);
    expect(kinds(next(blocked, { kind: 'timer' }, NOW + 120_000).commands)).toEqual(['say-hello']);
  });

  test.each(['key-reused', 'csr-invalid', 'weak-key'] as const)('after %s the next request has a new key', (code) => {
    const refused = next(stateIn(PHASES.requesting), problem(code, { id: csrId(PENDING.keyHash) }), NOW).state;
    const due = wakesAtMs(refused) ?? Number.NaN;
    const hello = next(refused, { kind: 'timer' }, due);
    const step = next(hello.state, EVENTS['state-received'], due);
    expect(kinds(step.commands)).toEqual(['make-key']);
  });

  test('a broker that refuses every key is asked less and less often', () => {
    let state = stateIn(PHASES.requesting, quiet());
    const waits: number[] = [];
    for (let round = 0; round < 14; round += 1) {
      state = next({ ...state, pending: PENDING }, problem('key-reused', { id: csrId(PENDING.keyHash) }), NOW).state;
      waits.push((wakesAtMs(state) ?? 0) - NOW);
    }
    expect(waits.slice(0, 4)).toEqual([5_000, 10_000, 20_000, 40_000]);
    expect(waits.at(-1)).toBe(6 * 60 * 60_000);
  });

  test('"now" does not make a loop', () => {
    const answer = problem('busy', { id: csrId(PENDING.keyHash), retryAfterSeconds: 0 });
    expect(wakesAtMs(next(stateIn(PHASES.requesting), answer, NOW).state)).toBe(NOW + 5_000);
  });

  test('a problem about a request that was given up since is ignored', () => {
    const start = stateIn(PHASES.requesting);
    const late = problem('key-reused', { id: csrId('77'.repeat(32)) });
    expect(next(start, late, NOW)).toEqual({ state: start, commands: [] });
  });

  test('a problem about hello does not disturb a running request', () => {
    const start = stateIn(PHASES.waiting, { line: { kind: 'greeting', attempt: 1, silentAtMs: NOW + 1 } });
    const { state } = next(start, problem('rate-limited', { id: 'hello-1', retryAfterSeconds: 60 }), NOW);
    expect(state).toMatchObject({ phase: { kind: 'waiting' }, line: { kind: 'greeted', againAtMs: NOW + 60_000 } });
  });

  test('a disabled appliance waits a day, and tells so', () => {
    const step = next(stateIn(PHASES.idle), problem('appliance-disabled', { id: 'hello-1' }), NOW);
    expect(step.state.phase).toEqual({ kind: 'blocked', untilMs: NOW + 24 * 60 * 60_000 });
    expect(step.commands).toMatchObject([{ kind: 'report', error: { code: 'broker-refused' } }]);
  });
});

describe('silence is met with patience', () => {
  test('an unanswered request is repeated after 30 seconds, then ever later up to 30 minutes', () => {
    let { state } = next(stateIn(PHASES.idle, quiet()), EVENTS['state-received'], NOW);
    let nowMs = NOW;
    const gaps: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const due = wakesAtMs(state) ?? Number.NaN;
      gaps.push((due - nowMs) / 1000);
      nowMs = due;
      const step = next(state, { kind: 'timer' }, nowMs);
      expect(step.commands).toEqual([{ kind: 'send-csr', pending: PENDING }]);
      state = step.state;
    }
    expect(gaps).toEqual([30, 60, 120, 240, 480, 960, 1800, 1800, 1800]);
  });

  test('an unanswered hello is told after 30 seconds and said again, ever later', () => {
    let { state } = next(stateIn(PHASES.idle), { kind: 'link-up' }, NOW);
    let nowMs = NOW;
    const gaps: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const due = wakesAtMs(state) ?? Number.NaN;
      gaps.push((due - nowMs) / 1000);
      nowMs = due;
      const step = next(state, { kind: 'timer' }, nowMs);
      expect(step.commands).toMatchObject([
        { kind: 'report', error: { code: 'broker-silent' } },
        { kind: 'say-hello' },
      ]);
      state = step.state;
    }
    expect(gaps).toEqual([30, 60, 120, 240, 480, 960, 1800, 1800]);
  });

  test('a certificate that does not come is asked after by hello', () => {
    const { state } = next(stateIn(PHASES.requesting, quiet()), EVENTS.accepted, NOW);
    expect(wakesAtMs(state)).toBe(NOW + 120_000);
    expect(kinds(next(state, { kind: 'timer' }, NOW + 120_000).commands)).toEqual(['say-hello']);
  });

  test('while the line is down nothing is timed: hello comes first when it is back', () => {
    for (const phase of Object.values(PHASES)) {
      expect(wakesAtMs(stateIn(phase, { line: { kind: 'down' } }))).toBeUndefined();
    }
  });

  test('neighbours that were told the same come back at different times', () => {
    const due = (spread: number) =>
      wakesAtMs(next({ ...stateIn(PHASES.requesting), spread }, EVENTS.problem, NOW).state);
    expect(due(0.9)).toBeGreaterThan(due(0.1) ?? 0);
    expect(due(0.1)).toBeGreaterThanOrEqual(NOW + 120_000);
  });
});

describe('check-in mode', () => {
  const checkin = { ...said({ kind: 'nothing' }), mode: 'checkin', againAfterMs: 3_600_000 } as const;

  test('the appliance leaves when there is nothing to do, and comes back in time', () => {
    const left = next(stateIn(PHASES.idle), checkin, NOW);
    expect(kinds(left.commands)).toEqual(['leave']);
    expect(next(left.state, { kind: 'link-down' }, NOW).state).toEqual(left.state);
    const back = next(left.state, { kind: 'timer' }, NOW + 3_600_000);
    expect(kinds(back.commands)).toEqual(['come-back']);
  });

  test('it stays until its certificate is installed', () => {
    const asked = next(stateIn(PHASES.idle), { ...checkin, todo: { kind: 'request', reason: 'renewal' } }, NOW);
    expect(kinds(asked.commands)).toEqual(['send-csr']);
    const got = next(asked.state, EVENTS.issued, NOW);
    expect(kinds(got.commands)).toEqual(['install']);
    expect(kinds(next(got.state, EVENTS.installed, NOW).commands)).toEqual(['send-installed', 'leave']);
  });

  test('a changed address brings it back at once', () => {
    const left = next(stateIn(PHASES.idle), checkin, NOW);
    expect(kinds(next(left.state, { kind: 'addresses-changed' }, NOW + 1).commands)).toEqual(['come-back']);
  });
});

function stateIn(phase: Phase, changes: Partial<State> = {}): State {
  const line = { kind: 'greeted', againAtMs: NOW + 3_600_000 } as const;
  return { ...initialState({ held: OLD, pending: PENDING }, 0), line, phase, ...changes };
}

/** A conversation in which hello is not due for very long. */
function quiet(): Partial<State> {
  return { line: { kind: 'greeted', againAtMs: Number.MAX_SAFE_INTEGER } };
}

function said(todo: Todo): Extract<Event, { kind: 'state-received' }> {
  return { kind: 'state-received', names: NAMES, mode: 'resident', todo, isAnswer: true, againAfterMs: 86_400_000 };
}

function issued(held: Held): Extract<Event, { kind: 'issued' }> {
  return { kind: 'issued', certificate: { kind: 'issued', chain: 'PEM', renewAtMs: held.notAfterMs, ...held } };
}

function problem(code: ProblemCode, fields: Partial<Problem>): Extract<Event, { kind: 'problem' }> {
  return { kind: 'problem', problem: { code, message: 'no', retryable: false, ref: 'r-1', ...fields } };
}

function kinds(commands: readonly Command[]): readonly Command['kind'][] {
  return commands.map(({ kind }) => kind);
}
