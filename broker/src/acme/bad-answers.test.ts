/**
 * Every bad answer that a CA is known to give, on an order's whole way: it ends in a code of docs/errors.md and a pause,
 * another try brings the certificate, and nothing else is ever taken for one. Time runs fast; requests are real.
 */
import { X509Certificate } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:https';
import type { ErrorCode } from '@lanyard/sdk/kernel';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BriskClock } from '../../../test/support/brisk-clock.ts';
import { Issuer } from '../../../test/support/issuer.ts';
import { Signer, pemOf, strangersDoor } from '../../../test/support/signer.ts';
import type { ChallengeBoard, ChallengeRecord } from '../certificates/challenge-board.ts';
import { HostileCa, problem } from './hostile-ca.ts';
import type { Answer, Fault, Mischief, Received } from './hostile-ca.ts';
import { isObject } from './problems.ts';

const NAME = 'a1b2c3.devices.example';
const OTHER_NAME = 'z9y8x7.devices.example';
const DAY_MS = 86_400_000;
/** A pause of a minute is 120 ms; longer ones are leapt over. */
const PACE = 500;
const PIECE_MS = 600_000;

const signer = new Signer();

class Board implements ChallengeBoard {
  #records: ChallengeRecord[] = [];

  async put({ kind, name, value }: ChallengeRecord): Promise<void> {
    this.#records.push({ kind, name, value });
  }

  async clear({ name, value }: ChallengeRecord): Promise<void> {
    this.#records = this.#records.filter((record) => record.name !== name || record.value !== value);
  }

  async list(): Promise<readonly ChallengeRecord[]> {
    return this.#records;
  }
}

let ca: HostileCa;
let board: Board;
let clock: BriskClock;
let issuer: Issuer;

beforeEach(async () => {
  ca = new HostileCa();
  await ca.start();
  board = new Board();
  clock = new BriskClock(PACE);
  issuer = new Issuer({ ca, board, clock });
});
afterEach(async () => {
  await issuer.stop();
  await ca.stop();
});

interface Wish {
  readonly name?: string;
  readonly isForOtherKey?: boolean;
  readonly fromDays?: number;
}

/** A chain as a CA signs it, for the key that the order was finalized with. */
type Sign = (wish?: Wish) => string;

function signerFor(path: string): Sign {
  const [, index = ''] = /(\d+)$/.exec(path) ?? [];
  const payload = ca.received.find((request) => request.path === `/finalize/${index}`)?.payload;
  const csr = isObject(payload) ? Buffer.from(String(payload['csr']), 'base64url') : Buffer.alloc(0);
  return ({ name = NAME, isForOtherKey = false, fromDays = 0 } = {}) => {
    const notBeforeMs = clock.nowMs() + fromDays * DAY_MS;
    const life = { notBeforeMs, notAfterMs: notBeforeMs + 90 * DAY_MS };
    return signer.chain(csr, { names: [name], isForOtherKey, ...life });
  };
}

interface BadAnswer {
  readonly what: string;
  readonly path: string;
  readonly code: ErrorCode;
  readonly fault: (honest: () => Answer, sign: Sign) => Fault;
  /** To how many requests; once, when left out. */
  readonly times?: number;
}

const PATHS = ['/new-order', '/order', '/authz', '/challenge', '/finalize', '/certificate'] as const;

/** Whatever was asked for. */
const ANYWHERE: readonly BadAnswer[] = PATHS.flatMap((path) => [
  { what: 'HTML as a success', path, code: 'authority-protocol', fault: () => ({ status: 200, body: '<html>' }) },
  { what: 'nothing as a success', path, code: 'authority-protocol', fault: () => ({ status: 200 }) },
  { what: 'eight megabytes', path, code: 'authority-protocol', fault: () => ({ status: 200, body: ENDLESS }) },
  { what: 'a redirect', path, code: 'authority-protocol', fault: () => redirect },
  {
    what: 'an error page of a proxy',
    path,
    code: 'authority-unreachable',
    fault: () => ({ status: 502, body: '<html>' }),
  },
  { what: 'no answer', path, code: 'authority-unreachable', fault: () => 'cut' },
]);

const ENDLESS = 'x'.repeat(8 * 1024 * 1024);
const redirect: Answer = { status: 307, headers: { location: '/elsewhere' } };

const OF_ORDERS: readonly BadAnswer[] = [
  {
    what: 'an order that stays in processing',
    path: '/order/0',
    code: 'authority-protocol',
    // Not before it is finalized: until then it is as it should be.
    fault: (honest) => withStatus(honest(), (status) => (status === 'valid' ? 'processing' : String(status))),
    times: Infinity,
  },
  {
    what: 'an order that stays pending',
    path: '/order/0',
    code: 'authority-protocol',
    fault: (honest) => withStatus(honest(), () => 'pending'),
    times: Infinity,
  },
  {
    what: 'an order that is invalid without a reason',
    path: '/order/0',
    code: 'authority-validation-failed',
    fault: (honest) => withStatus(honest(), () => 'invalid'),
    times: Infinity,
  },
  {
    what: 'an order of an unknown status',
    path: '/order/0',
    code: 'authority-protocol',
    fault: (honest) => withStatus(honest(), () => 'well'),
  },
  {
    what: 'an order that is gone',
    path: '/order/0',
    code: 'authority-order-lost',
    fault: () => problem(404, 'malformed', 'no such order'),
    times: Infinity,
  },
];

const OF_CERTIFICATES: readonly Omit<BadAnswer, 'path' | 'code'>[] = [
  { what: 'a chain that is cut short', fault: (_, sign) => certificate(sign().slice(0, -100)) },
  { what: 'a leaf that is cut short', fault: (_, sign) => certificate(sign().slice(0, 200)) },
  { what: 'a chain upside down', fault: (_, sign) => certificate(blocksOf(sign()).toReversed().join('')) },
  {
    what: 'a chain of strangers',
    fault: (_, sign) => certificate([...blocksOf(sign()), ...blocksOf(sign())].join('')),
  },
  { what: 'a private key behind the chain', fault: (_, sign) => certificate(sign() + pemOf('PRIVATE KEY', KEY)) },
  { what: 'a certificate for another key', fault: (_, sign) => certificate(sign({ isForOtherKey: true })) },
  { what: 'a certificate for another name', fault: (_, sign) => certificate(sign({ name: OTHER_NAME })) },
  { what: 'a certificate that has expired', fault: (_, sign) => certificate(sign({ fromDays: -365 })) },
];

const KEY = new Uint8Array(32);

function certificate(body: string): Answer {
  return { status: 200, headers: { 'content-type': 'application/pem-certificate-chain' }, body };
}

function blocksOf(chain: string): readonly string[] {
  return chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
}

function withStatus(answer: Answer, change: (status: unknown) => string): Answer {
  const { body } = answer;
  return isObject(body) ? { ...answer, body: { ...body, status: change(body['status']) } } : answer;
}

/** Honest but for the given answer, and with certificates that can be read. */
function giving({ path, fault, times = 1 }: BadAnswer): Mischief {
  let left = times;
  return (request: Received, honest) => {
    const sign = signerFor(request.path);
    const isMeant = request.method === 'POST' && request.path.startsWith(path);
    if (isMeant && left-- > 0) return fault(honest, sign);
    return request.path.startsWith('/certificate') ? certificate(sign()) : undefined;
  };
}

describe('a CA that once gives', () => {
  test.each<BadAnswer>([
    ...ANYWHERE,
    ...OF_ORDERS,
    ...OF_CERTIFICATES.map((bad) => ({ ...bad, path: '/certificate', code: 'authority-protocol' as const })),
  ])('$what for $path is $code, and issues all the same', async (bad) => {
    ca.mischief = giving(bad);
    await issuer.start();
    const { names, chain } = await clock.leapUntil(issuer.order(NAME), PIECE_MS);
    expect(names).toEqual([NAME]);
    expect(new X509Certificate(chain).checkHost(NAME)).toBe(NAME);
    expect(issuer.failures).toEqual([bad.code]);
    // What passes by itself is asked for again, everything else begins anew, and nothing begins twice.
    const orders = ca.log.filter((line) => line === 'POST /new-order').length;
    const isAnew = bad.code !== 'authority-unreachable' || bad.path === '/new-order';
    expect(orders).toBe(isAnew ? 2 : 1);
    expect(await board.list()).toEqual([]);
  });
});

test('a certificate that is not valid yet is taken: whose clock is wrong, the appliance will find out', async () => {
  ca.mischief = giving({
    what: 'a certificate of the future',
    path: '/certificate',
    code: 'authority-protocol',
    fault: (_, sign) => certificate(sign({ fromDays: 365 })),
  });
  await issuer.start();
  const { notBeforeMs } = await clock.leapUntil(issuer.order(NAME), PIECE_MS);
  expect(notBeforeMs).toBeGreaterThan(clock.nowMs());
  expect(issuer.failures).toEqual([]);
});

test('a CA whose HTTPS server is not believed is told nothing, and tried again and again', async () => {
  let requests = 0;
  const { certificatePem, privateKeyPem } = strangersDoor();
  const door = createServer({ cert: certificatePem, key: privateKeyPem }, () => (requests += 1));
  const refusals = new EventEmitter();
  door.on('tlsClientError', () => refusals.emit('refused'));
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  const address = door.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const distrustful = new Issuer({ ca: { directoryUrl: `https://127.0.0.1:${port}/directory` }, board, clock });
  await distrustful.start();
  void distrustful.order(NAME);
  for (let round = 0; round < 3; round++) await once(refusals, 'refused');
  await distrustful.stop();
  door.close();
  expect(requests).toBe(0);
  expect(new Set(distrustful.delays)).toEqual(new Set(['authority-unreachable']));
});
