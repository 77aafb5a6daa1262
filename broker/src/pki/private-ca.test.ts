import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemRandom } from '@lanyard/sdk/kernel';
import { VirtualClock } from '@lanyard/sdk/testing';
import { createPrivateCa, PrivateCa } from './private-ca.ts';
import { craftedSpki, craftRequest, element, integer, sequence, subjectOf } from './testing/crafted-request.ts';
import { hasOpenssl, openssl } from './testing/openssl.ts';

const DEVICE = 'appliance-0001';
const DAY_MS = 86_400_000;
// A fraction of a second, as real clocks have: X.509 has no place for it.
const NOW_MS = Date.UTC(2026, 10, 22) + 123.456;

const world = { clock: new VirtualClock(NOW_MS), random: systemRandom };
const files = createPrivateCa('Lanyard private CA for devices.example', world);
const ca = new PrivateCa(files, world);
const root = new X509Certificate(files.certificatePem);

describe('the root', () => {
  test('is a CA that signs certificates and nothing below it does', () => {
    expect(root.ca).toBe(true);
    expect(root.subject).toBe('CN=Lanyard private CA for devices.example');
    expect(root.verify(root.publicKey)).toBe(true);
    expect(root.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
  });

  test('begins a day ago and lasts 25 years, in whole seconds', () => {
    expect(root.validFromDate.getTime()).toBe(Math.floor((NOW_MS - DAY_MS) / 1000) * 1000);
    expect(root.validToDate.getUTCFullYear()).toBe(2051);
    expect(Buffer.from(root.raw).toString('latin1')).toMatch(/2051\d{10}Z/);
  });

  test('differs from every other in key and serial', () => {
    const other = new X509Certificate(createPrivateCa('other', world).certificatePem);
    expect(other.fingerprint256).not.toBe(root.fingerprint256);
    expect(other.serialNumber).not.toBe(root.serialNumber);
  });

  test('its serial is positive, whatever the dice say', () => {
    for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
      const random = { ...systemRandom, bytes: (count: number) => new Uint8Array(count).fill(byte) };
      const { serialNumber } = new X509Certificate(createPrivateCa('x', { ...world, random }).certificatePem);
      expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    }
  });
});

describe('an identity', () => {
  test('is for the key of the request, names the device, and never expires', async () => {
    const key = await ca.readIdentityKey({
      csrPem: pemOf('CERTIFICATE REQUEST', craftRequest({ attributes: element(0xa0) })),
    });
    const certificate = new X509Certificate(await ca.issueIdentity(DEVICE, key));
    expect(certificate.subject).toBe(`CN=${DEVICE}`);
    expect(certificate.publicKey.export({ format: 'der', type: 'spki' }).equals(craftedSpki)).toBe(true);
    expect(certificate.verify(root.publicKey)).toBe(true);
    expect(certificate.checkIssued(root)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    // RFC 5280 §4.1.2.5, to the letter.
    expect(Buffer.from(certificate.raw).toString('latin1')).toContain('99991231235959Z');
  });

  test('can be for a bare public key', async () => {
    const key = await ca.readIdentityKey({ publicKeyPem: pemOf('PUBLIC KEY', craftedSpki) });
    const certificate = new X509Certificate(await ca.issueIdentity(DEVICE, key));
    expect(certificate.publicKey.export({ format: 'der', type: 'spki' }).equals(craftedSpki)).toBe(true);
  });

  test('has no name but the one it was issued for, whatever the request says', async () => {
    const csrPem = pemOf('CERTIFICATE REQUEST', craftRequest({ subject: subjectOf('appliance-0002') }));
    const certificate = new X509Certificate(await ca.issueIdentity(DEVICE, await ca.readIdentityKey({ csrPem })));
    expect(certificate.subject).toBe(`CN=${DEVICE}`);
    expect(certificate.subjectAltName).toBeUndefined();
  });

  test('is refused for an id that could not be an MQTT client id', async () => {
    for (const id of ['', 'short', '+++++++++', 'a/b/c/d/e/f', 'x'.repeat(65), 'CN=other,O=x']) {
      await expect(ca.issueIdentity(id, { spki: craftedSpki })).rejects.toMatchObject({
        code: 'appliance-id-invalid',
      });
    }
  });

  test('is refused for a request that nobody signed', async () => {
    const der = craftRequest({ signature: () => sequence(integer(1), integer(1)) });
    const csrPem = pemOf('CERTIFICATE REQUEST', der);
    await expect(ca.readIdentityKey({ csrPem })).rejects.toMatchObject({ code: 'csr-invalid' });
  });

  test('is refused for a request with several common names', async () => {
    const csrPem = pemOf('CERTIFICATE REQUEST', craftRequest({ subject: subjectOf(DEVICE, 'appliance-0002') }));
    await expect(ca.readIdentityKey({ csrPem })).rejects.toMatchObject({ code: 'csr-invalid' });
  });

  test('is refused for another kind of key', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const publicKeyPem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
    await expect(ca.readIdentityKey({ publicKeyPem })).rejects.toMatchObject({ code: 'csr-weak-key' });
    await expect(ca.issueIdentity(DEVICE, { spki })).rejects.toMatchObject({ code: 'csr-weak-key' });
  });

  test('is refused for what is not PEM, for another kind of PEM and for too much of it', async () => {
    const wrong = [
      '',
      'hello',
      pemOf('PUBLIC KEY', craftedSpki),
      `${pemOf('CERTIFICATE REQUEST', craftRequest())}${' '.repeat(9000)}`,
    ];
    for (const csrPem of wrong) {
      await expect(ca.readIdentityKey({ csrPem })).rejects.toMatchObject({ code: 'csr-invalid' });
    }
  });
});

describe('the server certificate', () => {
  test('is for host names and addresses of both families', async () => {
    const names = ['Broker.example', '*.broker.example', '192.0.2.1', '2001:db8::1', '::ffff:192.0.2.2'];
    const { certificatePem, keyPem } = await ca.issueServer(names);
    const certificate = new X509Certificate(certificatePem);
    expect(certificate.checkHost('broker.example')).toBe('broker.example');
    expect(certificate.checkHost('eu.broker.example')).toBe('*.broker.example');
    for (const address of names.slice(2)) expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkIP('192.0.2.3')).toBeUndefined();
    expect(certificate.checkPrivateKey(createPrivateKey(keyPem))).toBe(true);
    expect(certificate.verify(root.publicKey)).toBe(true);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.validToDate.getUTCFullYear()).toBe(2028);
  });

  test('has a new key each time', async () => {
    const [first, second] = [await ca.issueServer(['a.example']), await ca.issueServer(['a.example'])];
    expect(first.keyPem).not.toBe(second.keyPem);
  });

  test('does not outlast the root', async () => {
    const clock = new VirtualClock(root.validToDate.getTime() - DAY_MS);
    const { certificatePem } = await new PrivateCa(files, { ...world, clock }).issueServer(['a.example']);
    expect(new X509Certificate(certificatePem).validToDate).toEqual(root.validToDate);
  });

  test('is refused for what is no name', async () => {
    for (const names of [[], [''], ['a b'], ['a.example.'], ['https://a.example'], ['fe80::1%eth0'], ['a\0.example']]) {
      await expect(ca.issueServer(names)).rejects.toMatchObject({ code: 'config-invalid' });
    }
  });
});

describe('files that do not fit', () => {
  const other = createPrivateCa('other', world);
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    .privateKey.export({ format: 'pem', type: 'pkcs8' })
    .toString();
  const wrong = {
    'another CA’s key': { ...files, keyPem: other.keyPem },
    'no key': { ...files, keyPem: '' },
    'no certificate': { ...files, certificatePem: 'hello' },
    'a key on another curve': { ...files, keyPem: p384 },
  };
  test.each(Object.entries(wrong))('%s is refused', (_, pair) => {
    expect(() => new PrivateCa(pair, world)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
  });

  test('a certificate that is not a CA’s is refused', async () => {
    const leaf = await ca.issueServer(['a.example']);
    expect(() => new PrivateCa(leaf, world)).toThrow(/not that of a CA/);
  });
});

describe('a handshake with certificates on both sides', () => {
  const system = { clock: new VirtualClock(Date.now()), random: systemRandom };
  const live = createPrivateCa('live', system);
  const liveCa = new PrivateCa(live, system);
  const appliance = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const applianceKey = appliance.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const spki = new Uint8Array(appliance.publicKey.export({ format: 'der', type: 'spki' }));

  test('the broker learns the device id and the appliance trusts the address', async () => {
    const cert = await liveCa.issueIdentity(DEVICE, { spki });
    const { serverSees, clientSees } = await shakeHands(cert, liveCa.rootPem);
    expect(serverSees).toBe(DEVICE);
    expect(clientSees).toBe('trusted');
  });

  test('an identity of another CA does not get in', async () => {
    const stranger = new PrivateCa(createPrivateCa('live', system), system);
    const cert = await stranger.issueIdentity(DEVICE, { spki });
    expect((await shakeHands(cert, liveCa.rootPem)).serverSees).toMatch(/^refused/);
  });

  test('a server of another CA is not trusted', async () => {
    const cert = await liveCa.issueIdentity(DEVICE, { spki });
    const { clientSees } = await shakeHands(cert, createPrivateCa('live', system).certificatePem);
    expect(clientSees).toMatch(/^refused/);
  });

  test('an identity cannot stand in for the server', async () => {
    const cert = await liveCa.issueIdentity(DEVICE, { spki });
    const { clientSees } = await shakeHands(cert, liveCa.rootPem, { certificatePem: cert, keyPem: applianceKey });
    expect(clientSees).toBe('refused: INVALID_PURPOSE');
  });

  async function shakeHands(
    cert: string,
    trusted: string,
    server?: { certificatePem: string; keyPem: string },
  ): Promise<{ serverSees: string; clientSees: string }> {
    const own = server ?? (await liveCa.issueServer(['127.0.0.1']));
    const options = { cert: own.certificatePem, key: own.keyPem, ca: live.certificatePem };
    const listener = createServer({ ...options, requestCert: true, rejectUnauthorized: true });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const serverSees = new Promise<string>((resolve) => {
      listener.once('secureConnection', (socket) => {
        socket.on('error', () => {});
        resolve(socket.getPeerCertificate().subject.CN?.toString() ?? 'nobody');
      });
      listener.once('tlsClientError', (error) => resolve(`refused: ${codeOf(error)}`));
    });
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP listener');
    const client = connect({ port: address.port, host: '127.0.0.1', ca: trusted, cert, key: applianceKey });
    const clientSees = await outcomeOf(client);
    const seen = { serverSees: await serverSees, clientSees };
    client.destroy();
    listener.close();
    return seen;
  }
});

describe.skipIf(!hasOpenssl)('in the eyes of OpenSSL', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'pki-'));
    writeFileSync(join(directory, 'root.pem'), files.certificatePem);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const verify = (pem: string, purpose: string, ...more: readonly string[]) =>
    openssl(pem, 'verify', '-x509_strict', '-CAfile', join(directory, 'root.pem'), '-purpose', purpose, ...more);

  test('the identity is a client’s certificate and not a server’s, in 2026 and in 2040', async () => {
    const pem = await ca.issueIdentity(DEVICE, { spki: craftedSpki });
    for (const year of [2026, 2040]) {
      const atSeconds = String(Date.UTC(year, 11, 1) / 1000);
      expect(verify(pem, 'sslclient', '-attime', atSeconds)).toMatchObject({ isOk: true });
    }
    expect(verify(pem, 'sslserver', '-no_check_time').output).toMatch(/purpose/);
  });

  test('the server certificate is a server’s', async () => {
    const { certificatePem } = await ca.issueServer(['a.example', '192.0.2.1']);
    expect(verify(certificatePem, 'sslserver', '-no_check_time', '-verify_ip', '192.0.2.1')).toMatchObject({
      isOk: true,
    });
    expect(verify(certificatePem, 'sslclient', '-no_check_time')).toMatchObject({ isOk: false });
  });

  test('the text shows every constraint', () => {
    const { output } = openssl(files.certificatePem, 'x509', '-noout', '-text');
    expect(output).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(output).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(output).toMatch(/Subject Key Identifier/);
  });

  test('a root that OpenSSL made serves as well, with its own way of naming the key', async () => {
    const subject = ['-subj', '/C=AT/O=Example Ltd/CN=Factory root', '-days', '3650'];
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const keyPem = key.export({ format: 'pem', type: 'pkcs8' }).toString();
    const keyPath = join(directory, 'factory.key');
    writeFileSync(keyPath, keyPem, { mode: 0o600 });
    const { output } = openssl('', 'req', '-x509', '-new', '-key', keyPath, ...subject);
    const factory = new PrivateCa(
      { certificatePem: output, keyPem },
      { ...world, clock: new VirtualClock(Date.now()) },
    );
    const factoryPath = join(directory, 'factory.pem');
    writeFileSync(factoryPath, output);
    const pem = await factory.issueIdentity(DEVICE, { spki: craftedSpki });
    expect(openssl(pem, 'verify', '-CAfile', factoryPath)).toMatchObject({ isOk: true });
    expect(new X509Certificate(pem).checkIssued(new X509Certificate(output))).toBe(true);
  });
});

function outcomeOf(client: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    client.once('secureConnect', () => resolve('trusted'));
    client.on('error', (error) => resolve(`refused: ${codeOf(error)}`));
  });
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}

function pemOf(label: string, der: Uint8Array): string {
  const isKey = label === 'PUBLIC KEY';
  if (isKey)
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' })
      .export({ format: 'pem', type: 'spki' })
      .toString();
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`;
}
