import { LanyardError } from '@lanyard/sdk/kernel';
import { LIMITS, encodeUp } from '@lanyard/sdk/protocol';
import type { DownMessage, Problem, UpMessage } from '@lanyard/sdk/protocol';
import { VirtualClock, seededRandom } from '@lanyard/sdk/testing';
import { expect, test } from 'vitest';
import { Inbox } from './inbox.ts';
import { RecordingLogger } from './test-bench.ts';

const ME = 'appliance-1';

type Receive = (deviceId: string, message: UpMessage) => Promise<readonly DownMessage[]>;

interface Desk {
  readonly inbox: Inbox;
  readonly clock: VirtualClock;
  readonly log: RecordingLogger;
  readonly problems: Problem[];
}

function open(receive: Receive, limits = { maxQueued: 2, maxQueuedInAll: 4, answerTimeoutMs: 30_000 }): Desk {
  const clock = new VirtualClock();
  const log = new RecordingLogger();
  const problems: Problem[] = [];
  const reply = (_deviceId: string, message: DownMessage): void => {
    if (message.kind === 'problem') problems.push(message.problem);
  };
  const inbox = new Inbox({ conversation: { receive }, reply, limits, clock, random: seededRandom(1), log });
  return { inbox, clock, log, problems };
}

function bye(id: string): Buffer {
  return encodeUp({ kind: 'bye', bye: { id, bootId: 'boot', reason: 'reboot' } });
}

const never: Receive = () => new Promise(() => undefined);
const nothing: Receive = () => Promise.resolve([]);

test.each([
  ['no JSON', 'not json', 'bad-request'],
  ['a list', '[]', 'bad-request'],
  ['a string that is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'bad-request'],
  ['nothing', '', 'bad-request'],
  ['a field missing', '{"v":1,"id":"r-1"}', 'bad-request'],
  ['another version', '{"v":2,"id":"r-1"}', 'unsupported-version'],
  ['too much', Buffer.alloc(LIMITS.bodyBytes + 1, ' '), 'too-large'],
  ['nested a thousand times', '['.repeat(8000), 'bad-request'],
])('%s is answered by a problem and nothing else happens', async (_what, body, code) => {
  const received: UpMessage[] = [];
  const { inbox, problems } = open((_deviceId, message) => (received.push(message), Promise.resolve([])));
  inbox.accept(ME, 'hello', Buffer.from(body));
  await inbox.idle();
  expect(problems).toMatchObject([{ code, retryable: false, ref: expect.stringMatching(/^[0-9a-f]{16}$/) }]);
  expect(received).toEqual([]);
});

test('the id of a request is echoed when it is one, and left out when it would make the answer unreadable', () => {
  const { inbox, problems } = open(nothing);
  inbox.accept(ME, 'hello', Buffer.from('{"v":1,"id":"r-1"}'));
  inbox.accept(ME, 'hello', Buffer.from('{"v":1,"id":"a b\\u0000"}'));
  expect(problems.map(({ id }) => id)).toEqual(['r-1', undefined]);
});

test('an appliance that sends nonsense all day costs one line of log', () => {
  const { inbox, problems, log } = open(nothing);
  for (let index = 0; index < 100; index++) inbox.accept(ME, 'csr', Buffer.from('nonsense'));
  expect([problems.length, log.lines.length]).toEqual([100, 1]);
  expect(log.lines[0]?.fields).toMatchObject({ deviceId: ME, code: 'bad-request', ref: problems[0]?.ref });
});

test('what does not fit into the queue of an appliance is told to come later', () => {
  const { inbox, problems } = open(never);
  for (const id of ['a', 'b', 'c', 'd']) inbox.accept(ME, 'bye', bye(id));
  expect(problems).toMatchObject([{ id: 'd', code: 'rate-limited', retryable: true }]);
  expect(problems[0]?.retryAfterSeconds).toBeGreaterThanOrEqual(60);
  inbox.accept('appliance-2', 'bye', bye('e'));
  expect(problems).toHaveLength(1);
});

test('what does not fit into all queues together is told to come later', () => {
  const { inbox, problems } = open(never);
  for (let index = 1; index <= 5; index++) inbox.accept(`appliance-${index}`, 'bye', bye(`id-${index}`));
  expect(problems).toMatchObject([{ id: 'id-5', code: 'rate-limited' }]);
});

test('a place in the queue is free again when a message is answered', async () => {
  const { inbox, problems } = open(nothing, { maxQueued: 0, maxQueuedInAll: 1, answerTimeoutMs: 1000 });
  for (const id of ['a', 'b', 'c']) {
    inbox.accept(ME, 'bye', bye(id));
    await inbox.idle();
  }
  expect(problems).toEqual([]);
});

test('an answer that does not come in time is a problem, and the next message gets its turn', async () => {
  const started: string[] = [];
  const { inbox, clock, problems } = open((_deviceId, message) => {
    if (message.kind === 'bye') started.push(message.bye.id);
    return new Promise(() => undefined);
  });
  inbox.accept(ME, 'bye', bye('a'));
  inbox.accept(ME, 'bye', bye('b'));
  await clock.advance(29_999);
  expect([started, problems]).toEqual([['a'], []]);
  await clock.advance(1);
  expect([started, problems.map(({ id, code }) => ({ id, code }))]).toEqual([
    ['a', 'b'],
    [{ id: 'a', code: 'internal' }],
  ]);
});

test.each([
  ['a rejection', () => Promise.reject(new Error('disk on fire at /secret'))],
  [
    'a throw',
    () => {
      throw new LanyardError('store-failed', { message: 'disk on fire at /secret' });
    },
  ],
] as const)('%s inside is for the log; the appliance gets the reference', async (_what, receive) => {
  const { inbox, problems, log } = open(receive);
  inbox.accept(ME, 'bye', bye('a'));
  await inbox.idle();
  expect(problems).toMatchObject([{ id: 'a', code: 'internal', retryable: true, ref: log.lines[0]?.fields['ref'] }]);
  expect(JSON.stringify(problems)).not.toContain('secret');
  expect(log.lines[0]?.fields['err']).toContain('secret');
});

test('how long to wait is what the error says, within what the protocol allows', async () => {
  const waits = [1, 2500, Number.MAX_SAFE_INTEGER, -5];
  const { inbox, problems } = open(() =>
    Promise.reject(new LanyardError('internal', { retryAfterMs: waits.shift() ?? 0 })),
  );
  for (const id of ['a', 'b', 'c', 'd']) {
    inbox.accept(ME, 'bye', bye(id));
    await inbox.idle();
  }
  expect(problems.map(({ retryAfterSeconds }) => retryAfterSeconds)).toEqual([1, 3, LIMITS.waitSeconds, 0]);
});

test('who waits for the end of an appliance’s messages is called after the last', async () => {
  const gates: (() => void)[] = [];
  const { inbox, clock } = open(() => new Promise((resolve) => gates.push(() => resolve([]))));
  const calls: string[] = [];
  inbox.afterwards(ME, () => calls.push('idle'));
  inbox.accept(ME, 'bye', bye('a'));
  inbox.accept(ME, 'bye', bye('b'));
  inbox.afterwards(ME, () => calls.push('after b'));
  gates[0]?.();
  await clock.advance(0);
  expect(calls).toEqual(['idle']);
  gates[1]?.();
  await inbox.idle();
  expect(calls).toEqual(['idle', 'after b']);
});
