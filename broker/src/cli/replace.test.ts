import { describe, expect, test } from 'vitest';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal();

describe('lanyard revoke', () => {
  test('says why to the broker, and what comes next', async () => {
    const heard = await terminal.pretendBroker(() => [200, { isConnected: true }]);
    const { code, out } = await terminal.run(['revoke', 'appliance-1', '--reason', 'key-compromise']);
    expect([code, out]).toEqual([0, 'the certificate of appliance-1 is revoked; it was asked for a new request\n']);
    expect(heard).toMatchObject([
      {
        method: 'POST',
        url: '/v1/appliances/appliance-1/revoke',
        body: '{"reason":"key-compromise","signedBy":"account"}',
      },
    ]);
  });

  test('can have it signed by the appliance', async () => {
    const heard = await terminal.pretendBroker(() => [200, { isConnected: true }]);
    await terminal.run(['revoke', 'appliance-1', '--reason', 'key-compromise', '--signed-by', 'appliance']);
    expect(heard).toMatchObject([{ body: '{"reason":"key-compromise","signedBy":"appliance"}' }]);
  });

  test('knows who is away', async () => {
    await terminal.pretendBroker(() => [200, { isConnected: false }]);
    expect((await terminal.run(['revoke', 'appliance-1'])).out).toContain('it is away');
  });

  test('tells what the broker refused', async () => {
    await terminal.pretendBroker(() => [409, { code: 'certificate-missing', message: 'it has none' }]);
    const { code, err } = await terminal.run(['revoke', 'appliance-1']);
    expect([code, err]).toEqual([1, 'lanyard: it has none [certificate-missing]\n']);
  });
});

describe('lanyard replace', () => {
  test.each([
    ['90m', 5_400, '6000 an hour'],
    ['24h', 86_400, '375 an hour'],
    ['5d', 432_000, '75 an hour'],
  ])('--all --within %s', async (within, withinSeconds, pace) => {
    const heard = await terminal.pretendBroker(() => [200, { certificates: 9_000, connected: 8_000 }]);
    const { code, out } = await terminal.run(['replace', '--all', '--within', within]);
    expect(code).toBe(0);
    expect(out).toContain(pace);
    expect(out).toContain('8000 appliances are connected');
    expect(heard).toMatchObject([
      { url: '/v1/replacements', body: JSON.stringify({ withinSeconds, isDryRun: false }) },
    ]);
  });

  test('--dry-run changes nothing', async () => {
    const heard = await terminal.pretendBroker(() => [200, { certificates: 9_000 }]);
    const { out } = await terminal.run(['replace', '--all', '--within', '24h', '--dry-run']);
    expect(out).toBe('9000 certificates within 24h are 375 an hour; nothing was changed\n');
    expect(heard[0]?.body).toContain('"isDryRun":true');
  });

  test.each([
    [['--within', '24h'], 'say --all'],
    [['--all', '--within', '24'], '--within 24 is no time'],
    [['--all', '--within', '1w'], '--within 1w is no time'],
    [['--all', '--within', '-1h'], '--within -1h is no time'],
  ])('%j is refused, and nobody is asked', async (given, complaint) => {
    const heard = await terminal.pretendBroker(() => [200, {}]);
    const { code, err } = await terminal.run(['replace', ...given]);
    expect(code).toBe(1);
    expect(err).toContain(complaint);
    expect(heard).toEqual([]);
  });
});
