/** Mosquitto's clients as hostile appliances: what they may not hear, say or be, they do not. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { downTopic, upTopic } from '@lanyard/sdk/protocol';
import { openVendor } from '@lanyard/simulator';
import type { Vendor } from '@lanyard/simulator';
import { z } from 'zod';
import { lanyard } from '../support/lanyard-command.ts';
import { ask, listen, publish } from '../support/mosquitto.ts';
import type { MqttIdentity } from '../support/mosquitto.ts';
import { arePeersMissing, peer } from '../support/peers.ts';
import { runToEnd, succeeded } from '../support/run-to-end.ts';
import { temporaryDirectory, undoAfterAll } from '../support/undo.ts';

const VICTIM = 'victim-0001';
const ATTACKER = 'attacker-0001';

/** How `mosquitto_sub` prints a message, and how it says that its connection lives. */
const MESSAGE = /^lanyard\//m;
const PING = /received PINGRESP/;

const shown = z.object({ published: z.array(z.string()), lastSeenAt: z.string().optional(), isConnected: z.boolean() });

describe.skipIf(arePeersMissing('mosquitto_sub', 'mosquitto_pub', 'mosquitto_rr', 'openssl'))(
  'a hostile client',
  () => {
    const undo = undoAfterAll();
    let directory: string;
    let vendor: Vendor;
    let victim: MqttIdentity;
    let attacker: MqttIdentity;

    beforeAll(async () => {
      directory = await temporaryDirectory(undo);
      vendor = await openVendor();
      undo(() => vendor.close());
      victim = await enrol(VICTIM);
      attacker = await enrol(ATTACKER);
    });

    test('hears nothing of others, whatever it subscribes to beside its own', async () => {
      const own = downTopic(ATTACKER, 'state');
      const others = ['#', '+/#', 'lanyard/#', `lanyard/v1/d/${VICTIM}/#`, 'lanyard/v1/d/+/down/state', '$SYS/#'];
      const heard = listen(vendor.door, attacker, [downTopic(VICTIM, 'state'), ...others, own]);
      // MQTT 3.1.1 §3.9.3: 128 is a refusal; 1 grants QoS 1.
      expect(await heard.line(/^Subscribed/)).toBe('Subscribed (mid: 1): 128, 128, 128, 128, 128, 128, 128, 1');
      const answer = await helloOf(victim);
      expect(answer.stdout).toContain('"todo"');
      await heard.next(PING);
      expect(heard.said()).not.toMatch(MESSAGE);
    });

    test('a subscription to other topics alone is refused', async () => {
      const heard = listen(vendor.door, attacker, [downTopic(VICTIM, 'certificate')]);
      await heard.line(/All subscription requests were denied/);
      await heard.ended;
      expect(heard.said()).not.toMatch(MESSAGE);
    });

    test('what it says in another’s name changes nothing', async () => {
      const before = await show(VICTIM);
      const lie = hello('10.66.66.66');
      const said = await publish(vendor.door, attacker, upTopic(VICTIM, 'hello'), lie);
      // The lie is acknowledged and dropped: MQTT 3.1.1 has no way to refuse a PUBLISH but to hang up.
      succeeded(said);
      // What comes on a later connection is read later: with this answered, the lie has been read, too.
      expect((await helloOf(attacker)).stdout).toContain('"todo"');
      expect(await show(VICTIM)).toEqual(before);
    });

    test('cannot answer in the broker’s place', async () => {
      const heard = listen(vendor.door, victim, [downTopic(VICTIM, 'state')]);
      await heard.line(/^Subscribed/);
      await publish(vendor.door, attacker, downTopic(VICTIM, 'state'), '{"lie":true}');
      await heard.next(PING);
      expect(heard.said()).not.toMatch(MESSAGE);
    });

    test('does not get in under a stolen id, and does not throw out whose it is', async () => {
      const heard = listen(vendor.door, victim, [downTopic(VICTIM, 'state')]);
      await heard.line(/^Subscribed/);
      const refused = await publish(vendor.door, { ...attacker, clientId: VICTIM }, upTopic(VICTIM, 'hello'), hello());
      expect(refused).not.toMatchObject({ code: 0 });
      expect(refused.report).toMatch(/not authori[sz]ed/i);
      expect(await show(VICTIM)).toMatchObject({ isConnected: true });
      await heard.next(PING);
      // Thrown out, it would have come back by itself.
      expect(heard.said().match(/received CONNACK/g)).toHaveLength(1);
    });

    test('does not get in with a certificate that somebody else issued, or with none', async () => {
      const foreign = await forge(VICTIM);
      const before = await show(VICTIM);
      for (const who of [foreign, { ...victim, isAnonymous: true }]) {
        const refused = await publish(vendor.door, who, upTopic(VICTIM, 'hello'), hello());
        expect(refused).not.toMatchObject({ code: 0 });
      }
      expect(await show(VICTIM)).toEqual(before);
    });

    async function enrol(deviceId: string): Promise<MqttIdentity> {
      const home = join(directory, deviceId);
      const ended = await lanyard(vendor, 'device', 'enrol', deviceId, '--out', home);
      succeeded(ended);
      return { clientId: deviceId, directory: home };
    }

    /** An identity of the same name, from a CA of the attacker's own that bears the same name as the real one. */
    async function forge(deviceId: string): Promise<MqttIdentity> {
      const home = join(directory, 'forged');
      await mkdir(home);
      await copyFile(join(victim.directory, 'broker-root.crt'), join(home, 'broker-root.crt'));
      const subject = `/CN=Lanyard private CA for ${vendor.zone}`;
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
      const root = ['-keyout', join(home, 'ca.key'), '-out', join(home, 'ca.crt')];
      const leaf = ['-keyout', join(home, 'identity.key'), '-out', join(home, 'identity.crt')];
      const issuer = ['-CA', join(home, 'ca.crt'), '-CAkey', join(home, 'ca.key')];
      for (const args of [
        ['-subj', subject, ...key, ...root],
        ['-subj', `/CN=${deviceId}`, '-addext', 'extendedKeyUsage=clientAuth', ...key, ...leaf, ...issuer],
      ]) {
        const made = await runToEnd(peer('openssl'), ['req', '-x509', ...args]);
        succeeded(made);
      }
      return { clientId: deviceId, directory: home };
    }

    async function helloOf(who: MqttIdentity): ReturnType<typeof ask> {
      const { clientId } = who;
      const topics = { topic: upTopic(clientId, 'hello'), answer: downTopic(clientId, 'state') };
      return await ask(vendor.door, who, { ...topics, message: hello() });
    }

    async function show(deviceId: string): Promise<z.infer<typeof shown>> {
      return shown.parse(await vendor.admin.get(`/v1/appliances/${deviceId}`));
    }
  },
);

function hello(address = '192.168.1.20'): string {
  return JSON.stringify({
    v: 1,
    id: 'hello-0001',
    bootId: 'boot-0001',
    clock: '2026-11-22T00:00:00Z',
    sdkVersion: 'mosquitto',
    rebinding: 'unknown',
    addresses: [{ address, interface: 'eth0', isDefaultRoute: true }],
  });
}
