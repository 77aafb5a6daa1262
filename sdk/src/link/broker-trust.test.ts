import { beforeAll, describe, expect, test } from 'vitest';
import { findDistrust, readCertificates } from './broker-trust.ts';
import { CLIENT_AUTH, SERVER_AUTH, issue } from './test-authority.ts';
import type { Issued, Wish } from './test-authority.ts';

const NOW_MS = Date.UTC(2026, 10, 22);
const LEAF: Wish = { commonName: 'broker', hosts: ['broker.example.com', '*.eu.example.com'], addresses: ['10.0.0.1'] };
const AUTHORITY = { commonName: 'root', isAuthority: true };

let root: Issued;

beforeAll(async () => {
  root = await issue(AUTHORITY);
});

describe('a presented chain', () => {
  test.each(['broker.example.com', 'BROKER.example.com', 'a.eu.example.com', '10.0.0.1'])(
    'is trusted for %s',
    async (host) => {
      expect(distrust([await issue(LEAF, root)], { host })).toBeUndefined();
    },
  );

  test.each(['example.com', 'broker.example.com.evil.org', 'a.b.eu.example.com', 'broker', '10.0.0.2', '::1'])(
    'is not trusted for %s',
    async (host) => {
      expect(distrust([await issue(LEAF, root)], { host })).toContain(`not for ${host}`);
    },
  );

  test('is not trusted by the name of its issuer alone', async () => {
    expect(distrust([await issue(LEAF, await issue(AUTHORITY))])).toContain('not issued by the pinned root');
  });

  test('is not trusted by the key of an issuer that is no CA', async () => {
    const middle = await issue({ commonName: 'no CA' }, root);
    expect(distrust([await issue(LEAF, middle), middle])).toContain('not issued by the pinned root');
    const bareRoot = await issue({ commonName: 'no CA either' });
    expect(distrust([await issue(LEAF, bareRoot)], { roots: bareRoot })).toContain('not issued by the pinned root');
  });

  test('is trusted through intermediates in any order, and with the root sent along', async () => {
    const first = await issue({ commonName: 'first', isAuthority: true }, root);
    const second = await issue({ commonName: 'second', isAuthority: true }, first);
    const leaf = await issue(LEAF, second);
    expect(distrust([leaf, second, first])).toBeUndefined();
    expect(distrust([leaf, root, first, second])).toBeUndefined();
    expect(distrust([leaf, second])).toContain('not issued');
    expect(distrust([leaf])).toContain('not issued');
  });

  test('is not followed without end', async () => {
    const chain: Issued[] = [root];
    for (let depth = 0; depth < 5; depth += 1) {
      chain.unshift(await issue({ commonName: `middle ${depth}`, isAuthority: true }, chain[0]));
    }
    expect(distrust([await issue(LEAF, chain[0]), ...chain])).toContain('not issued');
    const loop = await issue({ commonName: 'loop', isAuthority: true });
    expect(distrust([await issue(LEAF, loop), loop, loop, loop])).toContain('not issued');
  });

  test('may come from either of two roots while one replaces the other', async () => {
    const next = await issue({ commonName: 'next root', isAuthority: true });
    const both = { certificatePem: root.certificatePem + next.certificatePem, keyPem: '' };
    expect(distrust([await issue(LEAF, root)], { roots: both })).toBeUndefined();
    expect(distrust([await issue(LEAF, next)], { roots: both })).toBeUndefined();
  });

  test('is for servers', async () => {
    expect(distrust([await issue({ ...LEAF, usages: [CLIENT_AUTH] }, root)])).toContain('not for servers');
    expect(distrust([await issue({ ...LEAF, usages: [CLIENT_AUTH, SERVER_AUTH] }, root)])).toBeUndefined();
  });

  test('is judged by its dates from the floor on', async () => {
    const leaf = await issue({ ...LEAF, notBeforeMs: NOW_MS, notAfterMs: NOW_MS + 1000 }, root);
    expect(distrust([leaf], { nowMs: NOW_MS })).toBeUndefined();
    expect(distrust([leaf], { nowMs: NOW_MS + 2000 })).toContain('valid from');
    expect(distrust([leaf], { nowMs: NOW_MS - 2000 })).toContain('valid from');
    expect(distrust([leaf], { nowMs: NOW_MS - 2000, clockFloorMs: NOW_MS - 1999 })).toBeUndefined();
    expect(distrust([leaf], { nowMs: NOW_MS - 2000, clockFloorMs: NOW_MS - 2000 })).toContain('valid from');
  });

  test('is not empty', () => {
    expect(distrust([])).toBe('it sent no certificate');
  });
});

interface Asked {
  readonly host?: string;
  readonly roots?: Issued;
  readonly nowMs?: number;
  readonly clockFloorMs?: number;
}

function distrust(
  chain: readonly Issued[],
  { host = 'broker.example.com', roots = root, nowMs = NOW_MS, clockFloorMs = 0 }: Asked = {},
): string | undefined {
  const certificates = chain.flatMap(({ certificatePem }) => readCertificates(certificatePem));
  return findDistrust({
    host,
    chain: certificates,
    roots: readCertificates(roots.certificatePem),
    nowMs,
    clockFloorMs,
  });
}
