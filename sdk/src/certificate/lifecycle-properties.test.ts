/** What must hold for the lifecycle whatever the broker, the line, the vault and the clock do. */
import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  double,
  integer,
  nat,
  oneof,
  option,
  property,
  record,
} from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { test } from 'vitest';
import { LanyardError } from '../kernel/errors.ts';
import { PROBLEM_CODES } from '../protocol/problems.ts';
import { REQUEST_REASONS } from '../protocol/state.ts';
import { csrId, initialState, next, wakesAtMs } from './lifecycle.ts';
import type { Command, Event, Held, State } from './lifecycle.ts';

const HASHES = ['aa', 'bb', 'cc', 'dd'].map((pair) => pair.repeat(32));
const hash = constantFrom(...HASHES);
const names = constantFrom([], ['a.example'], ['b.example'], ['a.example', '*.a.example']);
const todo = oneof(
  constant({ kind: 'nothing' } as const),
  record({ kind: constant('request' as const), reason: constantFrom(...REQUEST_REASONS) }),
  record({ kind: constant('wait' as const), keyHash: hash }),
  record({ kind: constant('install' as const), fingerprint: hash }),
);

/** What comes from outside, in any order and with any content that parses. `outcome` ends work that was begun. */
const happening = oneof(
  constantFrom({ kind: 'link-up' }, { kind: 'link-down' }, { kind: 'addresses-changed' }, { kind: 'reboot' }),
  record({
    kind: constant('state-received' as const),
    names,
    mode: constantFrom('resident' as const, 'checkin' as const),
    todo,
    isAnswer: boolean(),
    againAfterMs: integer({ min: 1000, max: 100_000_000 }),
  }),
  record({ kind: constant('accepted' as const), about: boolean(), keyHash: hash, etaMs: nat(3_600_000) }),
  record({
    kind: constant('issued' as const),
    about: boolean(),
    keyHash: hash,
    notAfterMs: nat(1_000_000),
  }),
  record({
    kind: constant('problem' as const),
    about: constantFrom('request', 'hello', 'nothing', 'stale'),
    code: constantFrom(...PROBLEM_CODES),
    retryAfterSeconds: option(nat(100_000), { nil: undefined }),
  }),
  record({ kind: constant('outcome' as const), isGood: boolean() }),
  record({ kind: constant('wait' as const), share: double({ min: 0, max: 1.5, noNaN: true }) }),
);
type Happening = typeof happening extends Arbitrary<infer T> ? T : never;

/** The keeper in miniature, which watches what it is commanded. */
class Watched {
  state: State = initialState({ held: undefined, pending: undefined }, 0.5);
  nowMs = 0;
  csrs: number[] = [];
  vaultPending: { keyHash: string; names: readonly string[] } | undefined;
  vaultHeld: Held | undefined;
  #work: Extract<Command, { kind: 'make-key' | 'install' }> | undefined;
  #keys = 0;

  take(event: Event): void {
    const before = this.state;
    const step = next(before, event, this.nowMs);
    this.state = step.state;
    hold(event.kind === 'installed' || step.state.held === before.held, 'only an installation changes what is held');
    for (const command of step.commands) this.#obey(command);
    hold(step.commands.filter(({ kind }) => kind === 'send-csr').length <= 1, 'one request at a time');
    hold(this.state.held === this.vaultHeld, 'what is held is what the vault holds');
    const wakes = wakesAtMs(this.state);
    hold(event.kind !== 'timer' || wakes === undefined || wakes > this.nowMs, 'no timer fires in a loop');
  }

  #obey(command: Command): void {
    switch (command.kind) {
      case 'send-csr':
        // Never for a key that a power cut could take, never while something else runs.
        hold(this.vaultPending?.keyHash === command.pending.keyHash, 'the key of a request is in the vault');
        hold(this.#work === undefined, 'one work at a time');
        hold(this.state.phase.kind === 'requesting', 'a request that was sent is remembered');
        this.csrs.push(this.nowMs);
        return;
      case 'make-key':
      case 'install':
        hold(this.#work === undefined, 'one work at a time');
        hold(command.kind === 'install' || command.names.length > 0, 'no key without a name');
        this.#work = command;
        return;
      case 'send-installed':
        hold(command.fingerprint === this.vaultHeld?.fingerprint, 'only what is in the vault is called installed');
        return;
      case 'say-hello':
      case 'leave':
      case 'come-back':
      case 'report':
    }
  }

  outcome(isGood: boolean): void {
    const work = this.#work;
    this.#work = undefined;
    if (work === undefined) return;
    if (!isGood) {
      const code = work.kind === 'install' ? 'certificate-refused' : 'vault-unwritable';
      this.take({ kind: code === 'certificate-refused' ? 'refused' : 'failed', error: new LanyardError(code) });
    } else if (work.kind === 'make-key') {
      this.#keys += 1;
      this.vaultPending = { keyHash: this.#keys.toString(16).padStart(64, '0'), names: work.names };
      this.take({ kind: 'key-made', pending: this.vaultPending });
    } else {
      const { fingerprint, keyHash, notAfterMs, names: carried } = work.certificate;
      const isPending = this.vaultPending?.keyHash === keyHash;
      hold(isPending || notAfterMs > (this.vaultHeld?.notAfterMs ?? 0), 'never worse');
      this.vaultHeld = { fingerprint, keyHash, notAfterMs, names: carried };
      if (isPending) this.vaultPending = undefined;
      this.take({ kind: 'installed', held: this.vaultHeld });
    }
  }

  reboot(): void {
    this.#work = undefined;
    this.state = initialState({ held: this.vaultHeld, pending: this.vaultPending }, 0.5);
  }

  wait(share: number): void {
    const wakes = wakesAtMs(this.state);
    if (wakes === undefined) return;
    this.nowMs += Math.max(0, wakes - this.nowMs) * share;
    this.take({ kind: 'timer' });
  }

  meet(what: Happening): void {
    switch (what.kind) {
      case 'reboot':
        return this.reboot();
      case 'outcome':
        return this.outcome('isGood' in what && what.isGood);
      case 'wait':
        return this.wait('share' in what ? what.share : 0);
      case 'link-up':
      case 'link-down':
      case 'addresses-changed':
        return this.take({ kind: what.kind });
      default:
        return this.hear(what);
    }
  }

  hear(what: Happening): void {
    const mine = this.state.pending?.keyHash;
    if ('todo' in what) return this.take(what);
    if ('etaMs' in what) return this.take({ ...what, keyHash: what.about ? (mine ?? what.keyHash) : what.keyHash });
    if ('notAfterMs' in what) {
      const keyHash = what.about ? (mine ?? what.keyHash) : what.keyHash;
      const fingerprint = `${keyHash.slice(0, 32)}${what.notAfterMs.toString(16).padStart(32, '0')}`;
      const rest = { names: ['a.example'], chain: 'PEM', renewAtMs: 0, notAfterMs: what.notAfterMs };
      return this.take({ kind: 'issued', certificate: { kind: 'issued', fingerprint, keyHash, ...rest } });
    }
    if ('code' in what) {
      const id = { request: csrId(mine ?? 'none'), hello: 'hello-1', nothing: undefined, stale: 'csr-gone' }[
        what.about
      ];
      const retry = what.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: what.retryAfterSeconds };
      const fields = { code: what.code, message: 'no', retryable: true, ref: 'r-1', ...retry };
      this.take({ kind: 'problem', problem: id === undefined ? fields : { id, ...fields } });
    }
  }
}

function hold(isTrue: boolean, claim: string): void {
  if (!isTrue) throw new Error(`does not hold: ${claim}`);
}

const script = array(happening, { minLength: 20, maxLength: 120 });

test('the held certificate changes only by an installation, and no request leaves without its key in the vault', () => {
  assert(
    property(script, (happenings) => {
      const watched = new Watched();
      for (const what of happenings) watched.meet(what);
    }),
    { numRuns: 2000 },
  );
});

test('from wherever it was led, an honest broker brings it to a certificate', () => {
  assert(
    property(script, (happenings) => {
      const watched = new Watched();
      for (const what of happenings) watched.meet(what);
      const goal = ['goal.example'];
      for (let round = 0; round < 12 && watched.vaultHeld?.names[0] !== 'goal.example'; round += 1) {
        honestRound(watched, goal);
      }
      hold(watched.vaultHeld?.names === goal, 'it has its certificate');
    }),
    { numRuns: 500 },
  );
});

/** A broker that answers, a vault that works, and time enough for every wait to pass. */
function honestRound(watched: Watched, goal: readonly string[]): void {
  watched.outcome(true);
  watched.take({ kind: 'link-up' });
  watched.take({
    kind: 'state-received',
    names: goal,
    mode: 'resident',
    todo: { kind: 'request', reason: 'renewal' },
    isAnswer: true,
    againAfterMs: 3_600_000,
  });
  watched.outcome(true);
  const { pending, phase } = watched.state;
  if (phase.kind === 'requesting' && pending) {
    const certificate = { fingerprint: 'ee'.repeat(32), keyHash: pending.keyHash, names: goal, notAfterMs: 9_999_999 };
    watched.take({ kind: 'issued', certificate: { kind: 'issued', chain: 'PEM', renewAtMs: 0, ...certificate } });
    watched.outcome(true);
  }
  watched.nowMs += 2 * 24 * 60 * 60_000;
  watched.take({ kind: 'timer' });
}

test('a broker that answers everything with "request" at once gets at most one request in five seconds', () => {
  assert(
    property(array(nat(4000), { minLength: 50, maxLength: 200 }), (gaps) => {
      const watched = new Watched();
      watched.take({ kind: 'link-up' });
      for (const gapMs of gaps) {
        watched.nowMs += gapMs;
        const todoNow = { kind: 'request', reason: 'first' } as const;
        const said = { names: ['a.example'], mode: 'resident', todo: todoNow, isAnswer: false } as const;
        watched.take({ kind: 'state-received', ...said, againAfterMs: 1000 });
        watched.outcome(true);
        watched.take({ kind: 'timer' });
      }
      const [, ...later] = watched.csrs;
      hold(
        later.every((atMs, index) => atMs - (watched.csrs[index] ?? 0) >= 5000),
        'requests keep their distance',
      );
    }),
  );
});
