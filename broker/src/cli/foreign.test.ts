import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useTerminal } from './test-terminal.ts';

const terminal = useTerminal();
const certificate = {
  fingerprint: 'f1',
  names: ['a.devices.example.com', 'b.devices.example.com'],
  serial: '0a',
  issuer: 'CN=Some CA',
  keyHash: 'k1',
  notBefore: '2026-11-22T00:00:00.000Z',
  notAfter: '2027-02-20T00:00:00.000Z',
};
const facts = [
  '  fingerprint  f1',
  '  names        a.devices.example.com, b.devices.example.com',
  '  issuer       CN=Some CA',
  '  serial       0a',
  '  ends         2027-02-20T00:00:00.000Z',
  '',
].join('\n');

async function* inputOf(...chunks: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.alloc(1_000, 'x');
}

describe('lanyard observe', () => {
  test('hands a file over and tells of a foreign certificate', async () => {
    const heard = await terminal.pretendBroker(() => [200, { verdict: 'foreign', certificate }]);
    const path = join(terminal.directory, 'seen.pem');
    await writeFile(path, 'pem');
    const { code, out } = await terminal.run(['observe', path]);
    expect([code, out]).toEqual([0, `foreign: nobody here asked for it\n${facts}`]);
    expect(heard).toMatchObject([{ method: 'POST', url: '/v1/observed-certificates', body: '{"pem":"pem"}' }]);
  });

  test.each(['own', 'irrelevant'])('says in a word what is %s', async (verdict) => {
    await terminal.pretendBroker(() => [200, { verdict, certificate }]);
    const { code, out } = await terminal.run(['observe', '-'], { input: () => inputOf('pem') });
    expect([code, out]).toEqual([0, `${verdict}: f1\n`]);
  });

  test('reads standard input, and no more of it than the broker takes', async () => {
    const heard = await terminal.pretendBroker(() => [200, { verdict: 'own', certificate }]);
    await terminal.run(['observe', '-'], { input: () => inputOf('a', 'b') });
    await terminal.run(['observe', '-'], { input: endless });
    expect(heard.map(({ body }) => body)).toEqual(['{"pem":"ab"}', `{"pem":"${'x'.repeat(65_536)}"}`]);
  });

  test('fails when there is no such file, and when it is no certificate', async () => {
    await terminal.pretendBroker(() => [400, { code: 'certificate-unreadable', message: 'because' }]);
    const missing = await terminal.run(['observe', join(terminal.directory, 'none.pem')]);
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('[certificate-unreadable]')]);
    const nonsense = await terminal.run(['observe', '-'], { input: () => inputOf('x') });
    expect([nonsense.code, nonsense.err]).toEqual([1, 'lanyard: because [certificate-unreadable]\n']);
  });
});

describe('lanyard foreign', () => {
  const seenAt = '2026-11-23T00:00:00.000Z';
  const settledAt = '2026-11-24T00:00:00.000Z';

  test('list says what is to be looked into', async () => {
    const certificates = [
      { ...certificate, seenAt },
      { ...certificate, seenAt, settledAt },
    ];
    await terminal.pretendBroker(() => [200, { certificates }]);
    const { out } = await terminal.run(['foreign', 'list']);
    const [open, settled] = [`seen ${seenAt}, to be looked into\n`, `seen ${seenAt}, settled ${settledAt}\n`];
    expect(out).toBe(`${open}${facts}${settled}${facts}`);
    expect(JSON.parse((await terminal.run(['foreign', 'list', '--json'])).out)).toEqual({ certificates });
  });

  test('list says that there is none', async () => {
    await terminal.pretendBroker(() => [200, { certificates: [] }]);
    expect((await terminal.run(['foreign', 'list'])).out).toContain('no certificate');
  });

  test('settle takes several', async () => {
    const heard = await terminal.pretendBroker(() => [200, {}]);
    const { code, out } = await terminal.run(['foreign', 'settle', 'f1', 'AB:CD']);
    expect([code, out]).toEqual([0, 'f1 is settled\nAB:CD is settled\n']);
    expect(heard).toMatchObject([
      { method: 'POST', url: '/v1/foreign-certificates/f1/settle' },
      { method: 'POST', url: '/v1/foreign-certificates/AB%3ACD/settle' },
    ]);
  });

  test('settle tells which one is not known', async () => {
    await terminal.pretendBroker(() => [404, { code: 'foreign-certificate-unknown', message: 'no such one' }]);
    const { code, err } = await terminal.run(['foreign', 'settle', 'f1']);
    expect([code, err]).toEqual([1, 'lanyard: no such one [foreign-certificate-unknown]\n']);
  });
});
