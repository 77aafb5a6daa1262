import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Problem } from './problems.ts';
import { LETSENCRYPT, type RateLimits } from './rate-limits.ts';
import { certIdOf, csrFor, ERROR, TestWorld } from './test-world.ts';

interface Wish {
  readonly names: readonly string[];
  readonly profile?: string;
  readonly replaces?: string;
  /** Otherwise no record is there when the CA looks. */
  readonly hasRecord?: boolean;
  readonly csrNames?: readonly string[];
}

/** What an ACME client does, whichever door it stands at; a refusal becomes one line. */
interface Client {
  readonly world: TestWorld;
  readonly issue: (wish: Wish) => Promise<{ readonly pem: string } | { readonly refusal: string }>;
}

const LIMITS: RateLimits = {
  limits: {
    ...LETSENCRYPT.limits,
    newOrdersPerAccount: { burst: 6, periodMs: 3 * 3_600_000 },
    failedAuthorizations: { burst: 1, periodMs: 3_600_000 },
  },
  ceilings: {},
};

async function overHttp(): Promise<Client> {
  const world = new TestWorld({}, { limits: LIMITS });
  const { client } = world;
  await client.register();
  return {
    world,
    async issue({ names, hasRecord = true, csrNames = names, ...more }) {
      const order = await world.newOrder(names, more);
      if (order.status !== 201) return refused(order.json, order.status);
      await world.publishAndTrigger(order);
      if (!hasRecord) world.txt.clear();
      await world.clock.advance(1000);
      const { csr } = await csrFor(csrNames);
      const begun = await client.post(client.pathOf(order.json.finalize), { csr });
      if (begun.status !== 200) return refused(begun.json, begun.status);
      await world.clock.advance(1000);
      const done = await world.reread(order);
      return { pem: (await client.post(client.pathOf(done.json.certificate))).text };
    },
  };
}

function direct(): Client {
  const world = new TestWorld({}, { limits: LIMITS });
  const door = world.core.direct({ thumbprint: createHash('sha256').update('a key').digest('base64url') });
  const issue = async ({ names, hasRecord = true, csrNames = names, ...more }: Wish): Promise<{ pem: string }> => {
    const order = await door.newOrder({ names, ...more });
    for (const id of order.authorizationIds) {
      const authorization = await door.authorization(id);
      if (authorization.status !== 'pending') continue;
      if (hasRecord) world.txt.set(authorization.recordName, [authorization.recordValue]);
      else world.txt.clear();
      await door.trigger(id);
    }
    await world.clock.advance(1000);
    const { csr } = await csrFor(csrNames);
    await door.finalize(order.id, Buffer.from(csr, 'base64url'));
    await world.clock.advance(1000);
    const { certificateSerial = '' } = await door.order(order.id);
    return { pem: (await door.certificate(certificateSerial)).chainPem() };
  };
  return {
    world,
    issue: (wish) =>
      issue(wish).catch((error: unknown) => {
        if (!(error instanceof Problem)) throw error;
        return { refusal: `${error.type} ${error.status} ${error.message}` };
      }),
  };
}

function refused(json: { readonly type: string; readonly detail: string }, status: number): { refusal: string } {
  return { refusal: `${json.type.slice(ERROR.length)} ${status} ${json.detail}` };
}

/** A client over HTTP is refused a nonce before anything else. */
function kindsOf({ world }: Client): readonly string[] {
  const outages = world.told('refused').filter((event) => event.status === 500);
  return world.events.flatMap((event) => (outages.some((one) => one === event) ? [] : [event.kind]));
}

/** Serials and the jitter of a retry differ from run to run. */
function comparable(refusal: string): string {
  return refusal.replace(/"2c[0-9a-f]+"/, 'SERIAL').replace(/retry after .* UTC/, 'retry later');
}

/** One life, told by what was refused in it. */
async function live({ world, issue }: Client): Promise<readonly string[]> {
  const told: string[] = [];
  const attempt = async (wish: Wish): Promise<string> => {
    const outcome = await issue(wish);
    told.push('refusal' in outcome ? comparable(outcome.refusal) : 'issued');
    return 'pem' in outcome ? outcome.pem : '';
  };
  const certId = certIdOf(await attempt({ names: ['a.v.test'] }));
  await attempt({ names: ['localhost'] });
  await attempt({ names: ['a.v.test'], profile: 'tlsclient' });
  await attempt({ names: ['b.v.test'], csrNames: ['c.v.test'] });
  await attempt({ names: ['d.v.test'], hasRecord: false });
  await attempt({ names: ['d.v.test'] });
  await attempt({ names: ['z.v.test'], replaces: certId });
  await attempt({ names: ['a.v.test'], replaces: certId });
  await attempt({ names: ['a.v.test'], replaces: certId });
  for (const label of 'efgh') await attempt({ names: [`${label}.v.test`] });
  world.core.controls.setFaults({ isFailing: true });
  await attempt({ names: ['a.v.test'] });
  return told;
}

describe('the same life at both doors', () => {
  test('meets the same refusals, in the same words', async () => {
    const [http, straight] = [await overHttp(), direct()];
    const told = await live(straight);
    expect(told).toEqual([
      'issued',
      expect.stringMatching(/^rejectedIdentifier 400 Cannot issue for "localhost"/),
      expect.stringMatching(/^invalidProfile 400/),
      expect.stringMatching(/^badCSR 400 CSR does not specify same identifiers/),
      expect.stringMatching(/^orderNotReady 403 .*"invalid"/),
      expect.stringMatching(/^rateLimited 429 too many failed authorizations \(1\) for "d.v.test" in the last 1h0m0s/),
      expect.stringMatching(/^malformed 400 Could not validate ARI/),
      'issued',
      expect.stringMatching(/^alreadyReplaced 409 Could not validate ARI .*SERIAL, which already has/),
      'issued',
      'issued',
      'issued',
      expect.stringMatching(/^rateLimited 429 too many new orders \(6\) from this account in the last 3h0m0s/),
      expect.stringMatching(/^serverInternal 500/),
    ]);
    expect(await live(http)).toEqual(told);
  });

  test('is counted and told alike', async () => {
    const [http, straight] = [await overHttp(), direct()];
    await live(http);
    await live(straight);
    const { requests: _posts, ...counted } = http.world.core.statistics();
    expect(straight.world.core.statistics()).toMatchObject(counted);
    expect(kindsOf(straight)).toEqual(kindsOf(http));
    expect(straight.world.told('overdrawn')).toEqual([]);
  });
});

test('an account without a key signs nothing', async () => {
  const world = new TestWorld();
  const { accountUrl } = world.core.direct({ thumbprint: 'paper' });
  world.client.kid = accountUrl;
  const reply = await world.newOrder();
  expect([reply.status, reply.json.detail]).toEqual([403, 'The account has no key to sign with']);
});
