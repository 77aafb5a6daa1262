import { describe, expect, test } from 'vitest';
import { connectRefusal, mayReceive, maySubscribe, publishKind } from './access.ts';

const ME = 'appliance-1';
const OTHER = 'appliance-2';

describe('connecting', () => {
  test('an appliance connects under the id in its certificate, with or without a user name', () => {
    expect(connectRefusal({ deviceId: ME, clientId: ME, userName: undefined })).toBeUndefined();
    expect(connectRefusal({ deviceId: ME, clientId: ME, userName: ME })).toBeUndefined();
  });

  test('a client id or user name that is not in the certificate is refused', () => {
    expect(connectRefusal({ deviceId: ME, clientId: OTHER, userName: undefined })).toMatch(/client id/);
    expect(connectRefusal({ deviceId: ME, clientId: null, userName: undefined })).toMatch(/client id/);
    expect(connectRefusal({ deviceId: ME, clientId: ME, userName: OTHER })).toMatch(/user name/);
    expect(connectRefusal({ deviceId: ME, clientId: ME, userName: '' })).toMatch(/user name/);
  });

  test.each(['short', 'Appliance-1', 'appliance/1', '+', '#', '$SYS', ''])('"%s" is not an appliance', (deviceId) => {
    expect(connectRefusal({ deviceId, clientId: deviceId, userName: undefined })).toMatch(/certificate/);
  });
});

describe('publishing', () => {
  test.each(['hello', 'csr', 'installed', 'bye', 'revocation'])('its own %s topic', (kind) => {
    expect(publishKind(ME, `lanyard/v1/d/${ME}/up/${kind}`)).toBe(kind);
  });

  test.each([
    `lanyard/v1/d/${OTHER}/up/hello`,
    `lanyard/v1/d/${ME}/down/state`,
    `lanyard/v1/d/${ME}/up/state`,
    `lanyard/v1/d/${ME}/down/revocation`,
    `lanyard/v1/d/${ME}/up/hello/more`,
    `lanyard/v1/d/${ME}/up/+`,
    `$SYS/lanyard/v1/d/${ME}/up/hello`,
    'lanyard/dead',
    '',
  ])('nothing else: "%s"', (topic) => {
    expect(publishKind(ME, topic)).toBeUndefined();
  });
});

describe('subscribing', () => {
  test.each(['state', 'certificate', 'problem', 'revocation'])('its own %s topic', (kind) => {
    expect(maySubscribe(ME, `lanyard/v1/d/${ME}/down/${kind}`)).toBe(true);
  });

  test.each([
    '#',
    '+/#',
    `lanyard/v1/d/${ME}/down/+`,
    `lanyard/v1/d/${ME}/down/#`,
    `lanyard/v1/d/+/down/state`,
    `lanyard/v1/d/${OTHER}/down/state`,
    `lanyard/v1/d/${ME}/up/hello`,
    `$share/all/lanyard/v1/d/${ME}/down/state`,
    '$SYS/#',
    `lanyard/v1/d/${ME}/down/state/`,
  ])('nothing else: "%s"', (filter) => {
    expect(maySubscribe(ME, filter)).toBe(false);
  });

  test('an id that is a wildcard opens nothing', () => {
    expect(maySubscribe('+', 'lanyard/v1/d/+/down/state')).toBe(false);
    expect(mayReceive('+', `lanyard/v1/d/${ME}/down/state`)).toBe(false);
  });
});

test('an appliance receives what is addressed to it and nothing else', () => {
  expect(mayReceive(ME, `lanyard/v1/d/${ME}/down/certificate`)).toBe(true);
  expect(mayReceive(ME, `lanyard/v1/d/${OTHER}/down/certificate`)).toBe(false);
  expect(mayReceive(ME, `lanyard/v1/d/${ME}/up/hello`)).toBe(false);
  expect(mayReceive(ME, '$SYS/broker/new/clients')).toBe(false);
});
