import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { LanyardError } from '@lanyard/sdk/kernel';
import { csrOf } from './certificates/authority-double.ts';
import { nameOf } from './fleet/appliance.ts';
import { craftRequest, dnsName, namesAttribute } from './pki/testing/crafted-request.ts';
import { readSigningRequest } from './pki/signing-request.ts';
import { DEVICE, IDENTITY, KEY, bench, fingerprintIn, hash, hello, problemsIn, todoOf } from './test-conversation.ts';

const MINUTE_MS = 60_000;

describe('who is let in', () => {
  const caller = { deviceId: DEVICE, identityKeyHash: IDENTITY, sourceAddress: '203.0.113.9' };

  test('an enrolled appliance with its own key', async () => {
    const { conversation } = await bench();
    expect(await conversation.admit(caller)).toEqual({ kind: 'welcome' });
  });

  test('not one that nobody enrolled', async () => {
    const { conversation } = await bench();
    const admission = await conversation.admit({ ...caller, deviceId: 'appliance-2' });
    expect(admission).toEqual({ kind: 'refused', reason: 'unknown' });
  });

  test('not one with another key, although the private CA certified it', async () => {
    const { conversation } = await bench();
    const admission = await conversation.admit({ ...caller, identityKeyHash: 'identity-key-2' });
    expect(admission).toEqual({ kind: 'refused', reason: 'other-key' });
  });

  test('not one that is disabled, whatever its key', async () => {
    const { conversation, store, clock } = await bench();
    await store.appliances.setStatus(DEVICE, 'disabled', clock.nowMs());
    for (const identityKeyHash of [IDENTITY, 'identity-key-2']) {
      expect(await conversation.admit({ ...caller, identityKeyHash })).toEqual({ kind: 'refused', reason: 'disabled' });
    }
  });

  test('nobody while the database does not answer, and everybody is told to come later', async () => {
    const { conversation, store } = await bench();
    store.close();
    expect(await conversation.admit(caller)).toEqual({ kind: 'overloaded' });
  });
});

describe('a hello', () => {
  test('is answered with the appliance’s name, its addresses and what to do, under the id of the hello', async () => {
    const { greet, name, clock, published } = await bench();
    const bad = { address: '8.8.8.8', interface: 'wan0', isDefaultRoute: false };
    expect(await greet({ addresses: [...hello.addresses, bad] })).toEqual([
      {
        kind: 'state',
        state: {
          id: 'hello-1',
          serverTimeMs: clock.nowMs(),
          names: [name],
          published: ['192.168.1.20'],
          withheld: [{ address: '8.8.8.8', reason: 'not-permitted' }],
          mode: 'resident',
          nextCheckInSeconds: 21_600,
          reconnectSpreadSeconds: 300,
          todo: { kind: 'request', reason: 'first' },
        },
      },
    ]);
    expect(published).toEqual([`${name} 192.168.1.20`]);
  });

  test('of a disabled appliance that is still connected publishes nothing', async () => {
    const { greet, ask, store, clock, published } = await bench();
    await store.appliances.setStatus(DEVICE, 'disabled', clock.nowMs());
    expect(problemsIn(await greet())).toMatchObject([{ id: 'hello-1', code: 'appliance-disabled', retryable: false }]);
    expect(problemsIn(await ask())).toMatchObject([{ id: 'csr-1', code: 'appliance-disabled' }]);
    expect(published).toEqual([]);
    expect(await store.orders.openOrders()).toEqual([]);
  });
});

describe('the way to a certificate', () => {
  test('a request is accepted, its certificate is sent when it is there, and installed ends it', async () => {
    const { greet, ask, sent, clock, name, conversation } = await bench();
    await greet();
    const [accepted] = await ask();
    expect(accepted).toEqual({
      kind: 'certificate',
      certificate: { kind: 'accepted', id: 'csr-1', keyHash: KEY, etaSeconds: 10 },
    });
    await clock.advance(MINUTE_MS);
    expect(sent.map(({ kind }) => kind)).toEqual(['certificate']);
    const [message] = sent;
    expect(message).toMatchObject({ certificate: { kind: 'issued', names: [name], keyHash: KEY } });
    const installed = { id: 'i', fingerprint: fingerprintIn(sent) };
    expect(await conversation.receive(DEVICE, { kind: 'installed', installed })).toEqual([]);
    await clock.advance(24 * 60 * MINUTE_MS);
    expect(sent).toHaveLength(1);
  });

  test('a certificate that is not acknowledged is sent again every ten minutes', async () => {
    const { greet, ask, sent, clock } = await bench();
    await greet();
    await ask();
    await clock.advance(35 * MINUTE_MS);
    const certificates = sent.filter(({ kind }) => kind === 'certificate');
    expect(certificates).toHaveLength(4);
    expect(new Set(certificates.map((message) => JSON.stringify(message))).size).toBe(1);
  });

  test('an appliance that was away when it was issued gets it with its next hello', async () => {
    const { greet, ask, sent, clock, conversation } = await bench();
    await greet();
    await ask();
    conversation.gone(DEVICE);
    await clock.advance(MINUTE_MS);
    expect(sent).toEqual([]);
    const messages = await greet({ pendingKeyHash: KEY });
    expect(messages.map(({ kind }) => kind)).toEqual(['state', 'certificate']);
  });

  test('a repeated request meets its order, later its certificate, and never opens another one', async () => {
    const { ask, clock, world } = await bench();
    await ask();
    expect(await ask(undefined, KEY, 'csr-2')).toMatchObject([{ certificate: { kind: 'accepted', id: 'csr-2' } }]);
    await clock.advance(MINUTE_MS);
    expect(await ask(undefined, KEY, 'csr-3')).toMatchObject([{ certificate: { kind: 'issued', id: 'csr-3' } }]);
    expect(world.authority.issuedCount).toBe(1);
  });

  test('the renewal is asked for at its instant, of an appliance that only stays connected', async () => {
    const { greet, ask, sent, clock, conversation, desk } = await bench();
    await greet();
    await ask();
    await clock.advance(MINUTE_MS);
    await conversation.receive(DEVICE, { kind: 'installed', installed: { id: 'i', fingerprint: fingerprintIn(sent) } });
    const { latestCertificate } = await desk.dossier(DEVICE);
    await clock.advance((latestCertificate?.renewAtMs ?? 0) - clock.nowMs() - 1);
    expect(sent).toHaveLength(1);
    await clock.advance(1);
    expect(todoOf(sent.slice(1))).toEqual({ kind: 'request', reason: 'renewal' });
    expect(await ask(undefined, hash('key 2'))).toMatchObject([{ certificate: { kind: 'accepted' } }]);
    await clock.advance(MINUTE_MS);
    expect(sent.slice(2)).toMatchObject([{ certificate: { kind: 'issued', keyHash: hash('key 2') } }]);
  });

  test('nothing is said to an appliance that said bye, unless the bye is of a boot before', async () => {
    const { greet, conversation, sent } = await bench();
    await greet();
    await conversation.receive(DEVICE, { kind: 'bye', bye: { id: 'b', bootId: 'boot-0', reason: 'reboot' } });
    await conversation.prompt(DEVICE);
    expect(sent).toHaveLength(1);
    await conversation.receive(DEVICE, { kind: 'bye', bye: { id: 'b', bootId: 'boot-1', reason: 'reboot' } });
    await conversation.prompt(DEVICE);
    expect(sent).toHaveLength(1);
  });

  test('a reminder that cannot be answered ends there', async () => {
    const { greet, conversation, store } = await bench();
    await greet();
    store.close();
    await expect(conversation.prompt(DEVICE)).resolves.toBeUndefined();
  });

  test('a certificate that is not acknowledged comes again, and a reminder that fails is repeated a minute later', async () => {
    const { greet, ask, sent, clock, desk } = await bench();
    await greet();
    await ask();
    await clock.advance(MINUTE_MS);
    expect(sent.map(({ kind }) => kind)).toEqual(['certificate']);
    const advise = vi.spyOn(desk, 'advise').mockRejectedValue(new LanyardError('store-failed'));
    await clock.advance(9 * MINUTE_MS + 10_000);
    expect(sent).toHaveLength(1);
    advise.mockRestore();
    await clock.advance(MINUTE_MS);
    expect(sent.slice(1).map(({ kind }) => kind)).toEqual(['state', 'certificate']);
  });

  test('a fresh certificate is handed over without asking the database, and not at all to who is away', async () => {
    const { greet, ask, sent, clock, desk, conversation } = await bench();
    await greet();
    await ask();
    const advise = vi.spyOn(desk, 'advise');
    conversation.gone(DEVICE);
    await clock.advance(MINUTE_MS);
    expect(sent).toEqual([]);
    expect(todoOf(await greet({ pendingKeyHash: KEY }))?.kind).toBe('install');
    expect(advise).toHaveBeenCalledOnce();
  });

  test('a reminder is not a hello: last seen stays, and DNS in trouble holds no certificate back', async () => {
    const { greet, ask, sent, clock, board, fleet } = await bench();
    await greet();
    const seen = (await fleet.find(DEVICE)).lastHello?.atMs;
    await clock.advance(1_000);
    await ask();
    board.error = new LanyardError('dns-serving-failed');
    await clock.advance(11 * MINUTE_MS);
    expect(sent.map(({ kind }) => kind)).toEqual(['certificate', 'state', 'certificate']);
    expect((await fleet.find(DEVICE)).lastHello?.atMs).toBe(seen);
  });
});

describe('a request is refused', () => {
  test('for another’s name, a name more, a name less', async () => {
    const { ask, name, store } = await bench();
    for (const names of [['b.devices.example.com'], [name, 'b.devices.example.com'], []]) {
      const [problem] = problemsIn(await ask(names));
      expect(problem).toMatchObject({ id: 'csr-1', code: 'name-mismatch', retryable: false });
      expect(problem?.ref).toMatch(/^[0-9a-f]{16}$/);
      expect(problem).not.toHaveProperty('retryAfterSeconds');
    }
    expect(await store.orders.openOrders()).toEqual([]);
  });

  test('with a key that another appliance used', async () => {
    const { ask, fleet, conversation } = await bench();
    await ask();
    const other = nameOf(await fleet.enrol('appliance-2', 'identity-key-2'));
    const der = csrOf({ names: [other], keyHash: KEY });
    const answers = await conversation.receive('appliance-2', { kind: 'csr', csr: { id: 'csr-9', der } });
    expect(problemsIn(answers)).toMatchObject([{ id: 'csr-9', code: 'key-reused', retryable: false }]);
  });

  test('while another one of the same appliance is at the CA, and then it is not', async () => {
    const { ask, clock } = await bench();
    await ask();
    await clock.advance(100);
    const [problem] = problemsIn(await ask(undefined, hash('key 2')));
    expect(problem).toMatchObject({ id: 'csr-1', code: 'busy', retryable: true, retryAfterSeconds: 30 });
    await clock.advance(MINUTE_MS);
    expect(await ask(undefined, hash('key 2'))).toMatchObject([{ certificate: { kind: 'accepted' } }]);
  });

  test('when it is broken, badly signed or of a weak key; the right one is accepted', async () => {
    const { conversation, name, store } = await bench({ reader: readSigningRequest });
    const send = (der: Uint8Array) => conversation.receive(DEVICE, { kind: 'csr', csr: { id: 'c', der } });
    const attributes = namesAttribute(dnsName(name));
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const spki = rsa.publicKey.export({ format: 'der', type: 'spki' });
    const forged = craftRequest({ attributes, key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey });
    const refused = {
      'csr-invalid': [
        Buffer.from('hello'),
        Buffer.alloc(0),
        forged,
        Buffer.concat([craftRequest({ attributes }), Buffer.of(0)]),
      ],
      'weak-key': [craftRequest({ attributes, spki, key: rsa.privateKey })],
      'name-mismatch': [
        craftRequest(),
        craftRequest({ attributes: namesAttribute(dnsName(name), dnsName('b.example.com')) }),
      ],
    } as const;
    for (const [code, requests] of Object.entries(refused)) {
      for (const der of requests) expect(problemsIn(await send(der))).toMatchObject([{ id: 'c', code }]);
    }
    expect(await store.orders.openOrders()).toEqual([]);
    expect(await send(craftRequest({ attributes }))).toMatchObject([{ certificate: { kind: 'accepted' } }]);
  });

  test('by an error, not by an answer, when nobody enrolled it or the database is away', async () => {
    const { conversation, ask, store } = await bench();
    const der = csrOf({ names: [], keyHash: KEY });
    const unknown = conversation.receive('appliance-9', { kind: 'csr', csr: { id: 'c', der } });
    await expect(unknown).rejects.toMatchObject({ code: 'appliance-unknown' });
    store.close();
    await expect(ask()).rejects.toMatchObject({ code: 'stopped' });
  });
});

/** Connected, and serving its certificate; what it served before is a stranger's. */
async function serving() {
  const all = await bench();
  await all.greet();
  await all.ask();
  await all.clock.advance(MINUTE_MS);
  const fingerprint = fingerprintIn(all.sent);
  await all.conversation.receive(DEVICE, { kind: 'installed', installed: { id: 'i', fingerprint } });
  const { latestCertificate = expect.fail() } = await all.desk.dossier(DEVICE);
  const move = async (renewAtMs: number): Promise<void> => {
    const noted = { renewAtMs, window: undefined, lookUpAtMs: undefined };
    expect(await all.store.orders.noteRenewal(latestCertificate, noted)).toBe(true);
  };
  all.sent.splice(0);
  return { ...all, latestCertificate, move };
}

describe('a renewal that the CA moved', () => {
  test('is asked for at its new instant of the appliance that serves the certificate', async () => {
    const { clock, conversation, sent, latestCertificate, move } = await serving();
    const renewAtMs = clock.nowMs() + MINUTE_MS;
    await move(renewAtMs);
    conversation.renewalMoved(latestCertificate, renewAtMs);
    await clock.advance(MINUTE_MS - 1);
    expect(sent).toEqual([]);
    await clock.advance(1);
    expect(todoOf(sent)).toEqual({ kind: 'request', reason: 'renewal' });
  });

  test('does not remind one that serves another certificate', async () => {
    const { clock, conversation, sent, latestCertificate, move } = await serving();
    await move(clock.nowMs());
    conversation.renewalMoved({ ...latestCertificate, fingerprint: 'of another' }, clock.nowMs());
    await clock.advance(MINUTE_MS);
    expect(sent).toEqual([]);
  });

  test('does not remind one that has not said that it serves it', async () => {
    const { greet, ask, clock, conversation, sent, desk } = await bench();
    await greet();
    await ask();
    await clock.advance(MINUTE_MS);
    const { latestCertificate = expect.fail() } = await desk.dossier(DEVICE);
    conversation.renewalMoved(latestCertificate, clock.nowMs());
    await clock.advance(MINUTE_MS);
    expect(sent.map(({ kind }) => kind)).toEqual(['certificate']);
  });

  test('is heard of by one that is away with its next hello', async () => {
    const { clock, conversation, sent, greet, latestCertificate, move } = await serving();
    conversation.gone(DEVICE);
    await move(clock.nowMs());
    conversation.renewalMoved(latestCertificate, clock.nowMs());
    await clock.advance(MINUTE_MS);
    expect(sent).toEqual([]);
    const { fingerprint, keyHash, notAfterMs } = latestCertificate;
    const messages = await greet({ certificate: { fingerprint, keyHash, notAfterMs } });
    expect(todoOf(messages)).toEqual({ kind: 'request', reason: 'renewal' });
  });
});
