/** Certbot, lego and uacme get certificates from the model CA by dns-01: it is a CA to others, too, not to us alone. */
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { startModelAuthority } from '@lanyard/simulator';
import type { RunningModelAuthority } from '@lanyard/simulator';
import { startChallengeHook } from '../support/challenge-hook.ts';
import type { ChallengeHook } from '../support/challenge-hook.ts';
import { opensslVerify } from '../support/openssl.ts';
import { arePeersMissing, peer } from '../support/peers.ts';
import { runToEnd, succeeded } from '../support/run-to-end.ts';
import type { Ended } from '../support/run-to-end.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

const ZONE = 'devices.lanyard.test';
/** Where Debian's libcurl for GnuTLS looks, whatever its environment says. */
const SYSTEM_ROOTS = '/etc/ssl/certs/ca-certificates.crt';

describe.skipIf(arePeersMissing('openssl', 'curl'))('the model CA', () => {
  const undo = undoAfterAll();
  let directory: string;
  let hook: ChallengeHook;
  let authority: RunningModelAuthority;
  /** Trust in the model CA's own HTTPS server. */
  let roots: string;

  beforeAll(async () => {
    directory = await temporaryDirectory(undo);
    hook = await startChallengeHook(ZONE, directory);
    undo(() => hook.stop());
    const world = { clock: systemClock, random: systemRandom, log: silentLogger };
    authority = await startModelAuthority({ ...world, resolver: { ...hook.nameServer, zones: [ZONE] } });
    undo(() => authority.stop());
    roots = join(directory, 'ca-roots.pem');
    await writeFile(roots, authority.tlsRootPem);
  });

  test.skipIf(arePeersMissing('certbot'))('certifies certbot’s name', async () => {
    const name = `certbot.${ZONE}`;
    const [put, clear] = ['put', 'clear'].map(
      (action) => `${hook.script} ${action} "_acme-challenge.$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION"`,
    );
    const wishes = ['--server', authority.directoryUrl, '-d', name, '--key-type', 'ecdsa'];
    const hooks = ['--manual-auth-hook', put!, '--manual-cleanup-hook', clear!];
    const places = ['config', 'work', 'logs'].flatMap((kind) => [`--${kind}-dir`, join(directory, 'certbot', kind)]);
    const quietly = 'certonly --non-interactive --agree-tos --register-unsafely-without-email'.split(' ');
    const args = [...quietly, ...wishes, '--manual', '--preferred-challenges', 'dns', ...hooks, ...places];
    const ended = await runToEnd(peer('certbot'), args, { env: { REQUESTS_CA_BUNDLE: roots } });
    const chain = await certificateOf(ended, name, join(directory, 'certbot', 'config', 'live', name, 'fullchain.pem'));
    expect(new X509Certificate(chain).subjectAltName).toBe(`DNS:${name}`);
  });

  test.skipIf(arePeersMissing('lego'))('certifies lego’s names, a wildcard among them', async () => {
    const name = `lego.${ZONE}`;
    const script = join(directory, 'lego-hook');
    // lego says "present" and "cleanup" (github.com/go-acme/lego, providers/dns/exec).
    await writeFile(
      script,
      `#!/bin/sh\ncase $1 in present) set -- put "$2" "$3" ;; *) set -- clear "$2" "$3" ;; esac\nexec ${hook.script} "$@"\n`,
      { mode: 0o700 },
    );
    const account = ['--accept-tos', '--email', 'nobody@lanyard.test', '--path', join(directory, 'lego')];
    const wishes = ['--server', authority.directoryUrl, '--domains', name, '--domains', `*.${name}`];
    // Without disable-cp it looks for the zone's name servers outside this machine.
    const args = [...account, ...wishes, '--dns', 'exec', '--dns.disable-cp', 'run'];
    const env = { LEGO_CA_CERTIFICATES: roots, EXEC_PATH: script, EXEC_SEQUENCE_INTERVAL: '1' };
    const ended = await runToEnd(peer('lego'), args, { env });
    const chain = await certificateOf(ended, name, join(directory, 'lego', 'certificates', `${name}.crt`));
    expect(new X509Certificate(chain).subjectAltName).toBe(`DNS:*.${name}, DNS:${name}`);
  });

  test.skipIf(arePeersMissing('uacme', 'unshare'))('certifies uacme’s name', async () => {
    const name = `uacme.${ZONE}`;
    const script = join(directory, 'uacme-hook');
    // uacme asks for every kind of challenge until one is taken; a hook that fails declines (uacme(1), HOOK).
    await writeFile(
      script,
      `#!/bin/sh\n[ "$2" = dns-01 ] || exit 1\n[ "$1" = begin ] && action=put || action=clear\nexec ${hook.script} "$action" "_acme-challenge.$3" "$5"\n`,
      { mode: 0o700 },
    );
    const home = join(directory, 'uacme');
    // In a mount namespace of its own: nobody else sees the changed roots.
    const inside = `mount --bind "$1" ${SYSTEM_ROOTS} && shift && exec "$@"`;
    const before = ['--mount', 'sh', '-c', inside, 'sh', roots, peer('uacme')];
    const wishes = ['-c', home, '-a', authority.directoryUrl, '-y', '-t', 'EC'];
    const uacme = (...args: readonly string[]): Promise<Ended> =>
      runToEnd(peer('unshare'), [...before, ...wishes, ...args]);
    const registered = await uacme('new');
    succeeded(registered);
    const ended = await uacme('-h', script, 'issue', name);
    const chain = await certificateOf(ended, name, join(home, name, 'cert.pem'));
    expect(new X509Certificate(chain).subjectAltName).toBe(`DNS:${name}`);
  });

  /** The chain that the client wrote, if OpenSSL agrees to it and no challenge of it is left. */
  async function certificateOf(ended: Ended, name: string, path: string): Promise<string> {
    succeeded(ended);
    const chain = await readFile(path, 'utf8');
    const verified = await opensslVerify({ chain, root: authority.rootPem, name, directory });
    succeeded(verified);
    expect([...hook.seen].some((record) => record.startsWith(`_acme-challenge.${name} `))).toBe(true);
    expect(await hook.left()).toEqual([]);
    return chain;
  }
});
