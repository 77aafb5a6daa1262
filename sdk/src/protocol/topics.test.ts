/** Which topic carries what, and whose it is. */
import { assert, constantFrom, property, string, stringMatching } from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DOWN_KINDS,
  downTopic,
  downTopics,
  isDeviceId,
  parseDownTopic,
  parseUpTopic,
  UP_KINDS,
  upTopic,
} from './topics.ts';

const deviceId = stringMatching(/^[a-z0-9-]{8,64}$/);

test('a topic that was made is read back as what it was made of', () => {
  assert(
    property(deviceId, constantFrom(...UP_KINDS), constantFrom(...DOWN_KINDS), (id, up, down) => {
      expect(parseUpTopic(upTopic(id, up))).toEqual({ deviceId: id, kind: up });
      expect(parseDownTopic(downTopic(id, down))).toEqual({ deviceId: id, kind: down });
      expect(parseUpTopic(downTopic(id, down))).toBeUndefined();
      expect(parseDownTopic(upTopic(id, up))).toBeUndefined();
    }),
  );
});

test('whatever is read as a topic is exactly the topic of what was read', () => {
  const segment = constantFrom('lanyard', 'v1', 'd', 'up', 'hello', 'device-1', '+', '#', '', '$SYS', 'DEVICE-1');
  assert(
    property(string(), segment, segment, segment, segment, segment, segment, (free, ...parts) => {
      for (const topic of [free, parts.join('/'), `lanyard/v1/d/${free}/up/hello`]) {
        const address = parseUpTopic(topic);
        expect(address === undefined || upTopic(address.deviceId, address.kind) === topic).toBe(true);
      }
    }),
  );
});

test('an appliance subscribes to its four topics and to no pattern', () => {
  expect(downTopics('device-1')).toEqual([
    'lanyard/v1/d/device-1/down/state',
    'lanyard/v1/d/device-1/down/certificate',
    'lanyard/v1/d/device-1/down/problem',
    'lanyard/v1/d/device-1/down/revocation',
  ]);
});

describe('no topic of ours', () => {
  test.each([
    '',
    'lanyard/v1/d/device-1/up',
    'lanyard/v1/d/device-1/up/hello/',
    'lanyard/v1/d/device-1/up/hello/more',
    'lanyard/v2/d/device-1/up/hello',
    'lanyard/v1/d/short/up/hello',
    'lanyard/v1/d/DEVICE-1/up/hello',
    'lanyard/v1/d/+/up/hello',
    'lanyard/v1/d/device-1/up/Hello',
    'lanyard/v1/d/device-1/up/state',
    `lanyard/v1/d/${'a'.repeat(65)}/up/hello`,
    '/lanyard/v1/d/device-1/up/hello',
    'a/'.repeat(100_000),
  ])('%.60s', (topic) => {
    expect(parseUpTopic(topic)).toBeUndefined();
  });
});

test.each([
  ['device-1', true],
  ['a'.repeat(64), true],
  ['a'.repeat(65), false],
  ['a'.repeat(7), false],
  ['device_1', false],
  ['device-1\n', false],
  ['dévice-1', false],
])('%j as a device id: %j', (id, isOne) => {
  expect(isDeviceId(id)).toBe(isOne);
});
