import { once } from 'node:events';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { systemClock } from '@lanyard/sdk/kernel';
import * as asn1js from 'asn1js';
import { AttributeTypeAndValue, BasicConstraints, Certificate, Extension, GeneralName, GeneralNames } from 'pkijs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AcmeTransport } from './transport.ts';

let server: Server;
let rootPem: string;
let transport: AcmeTransport | undefined;

beforeEach(async () => {
  const { keyPem, certificatePem } = await selfSigned('localhost');
  rootPem = certificatePem;
  server = createServer({ key: keyPem, cert: certificatePem }, (_request, response) => void response.end('{}'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  await transport?.stop();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function ask(host: string, extraRootsPem?: string): Promise<number> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  transport = new AcmeTransport({ clock: systemClock, ...(extraRootsPem === undefined ? {} : { extraRootsPem }) });
  await transport.start();
  const url = `https://${host}:${address.port}/`;
  return (await transport.send({ method: 'GET', url }, new AbortController().signal)).status;
}

test('a private CA is believed with its root', async () => {
  expect(await ask('localhost', rootPem)).toBe(200);
});

test('a private CA is not believed without its root', async () => {
  await expect(ask('localhost')).rejects.toMatchObject({ code: 'authority-unreachable' });
});

test('a private CA is not believed with the root of another', async () => {
  const other = await selfSigned('localhost');
  await expect(ask('localhost', other.certificatePem)).rejects.toMatchObject({ code: 'authority-unreachable' });
});

test('a private CA is not believed under another name', async () => {
  await expect(ask('127.0.0.1', rootPem)).rejects.toMatchObject({ code: 'authority-unreachable' });
});

async function selfSigned(host: string): Promise<{ keyPem: string; certificatePem: string }> {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const certificate = new Certificate();
  certificate.version = 2;
  certificate.serialNumber = new asn1js.Integer({ value: 1 });
  const commonName = new AttributeTypeAndValue({ type: '2.5.4.3', value: new asn1js.Utf8String({ value: host }) });
  certificate.issuer.typesAndValues.push(commonName);
  certificate.subject.typesAndValues.push(commonName);
  certificate.notBefore.value = new Date(Date.now() - 3_600_000);
  certificate.notAfter.value = new Date(Date.now() + 3_600_000);
  const names = new GeneralNames({ names: [new GeneralName({ type: 2, value: host })] });
  certificate.extensions = [
    extension('2.5.29.19', true, new BasicConstraints({ cA: true }).toSchema()),
    extension('2.5.29.17', false, names.toSchema()),
  ];
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  await certificate.sign(keys.privateKey, 'SHA-256');
  return {
    keyPem: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)),
    certificatePem: pem('CERTIFICATE', certificate.toSchema(true).toBER()),
  };
}

function extension(extnID: string, critical: boolean, schema: { toBER(): ArrayBuffer }): Extension {
  return new Extension({ extnID, critical, extnValue: schema.toBER() });
}

function pem(label: string, der: ArrayBuffer): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`;
}
