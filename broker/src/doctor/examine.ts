/** Every check, side by side, none for longer than its time. */
import { deadline, describeError } from '@lanyard/sdk/kernel';
import type { Clock, Random } from '@lanyard/sdk/kernel';
import type { AskDns } from './ask-dns.ts';
import type { AskHttp } from './ask-http.ts';
import { examineAuthority } from './authorities.ts';
import type { AuthoritySubject } from './authorities.ts';
import { askForProbe, examineBroker } from './broker-health.ts';
import type { AdminSubject } from './broker-health.ts';
import { examineInheritedCaa } from './caa.ts';
import { examineData } from './data-files.ts';
import type { DataSubject } from './data-files.ts';
import { examineDelegation } from './delegation.ts';
import { error, skipped } from './finding.ts';
import type { Finding } from './finding.ts';
import { examineListener } from './listener.ts';
import type { ListenerSubject } from './listener.ts';
import { examineNameServers } from './name-servers.ts';
import type { NameServersSubject } from './name-servers.ts';
import { examineRoundTrip } from './round-trip.ts';
import type { ShakeHands } from './shake-hands.ts';
import { judgeTime } from './time.ts';

export interface Subject {
  readonly zone: NameServersSubject;
  readonly authorities: readonly AuthoritySubject[];
  readonly listener: ListenerSubject;
  readonly admin: AdminSubject;
  readonly data: DataSubject;
}

export interface ExaminationWorld {
  readonly ask: AskDns;
  readonly askHttp: AskHttp;
  readonly shakeHands: ShakeHands;
  readonly clock: Clock;
  readonly random: Random;
}

/** A question takes 5 s at most; a check asks a few after one another. All of them together stay below 30 s. */
const CHECK_MS = 20_000;

export async function examine(subject: Subject, world: ExaminationWorld): Promise<readonly Finding[]> {
  const { zone, listener, admin } = subject;
  const { ask, askHttp, clock } = world;
  const nowMs = clock.nowMs();
  const checks = {
    broker: examineBroker(admin, askHttp),
    delegation: examineDelegation(zone, ask),
    'name-server': examineNameServers(zone, world),
    'round-trip': publishAndLook(subject, world),
    'ca-directory': examineAuthorities(subject, world),
    mqtt: examineListener(listener, { ...world, nowMs }),
  };
  const findings = await Promise.all(Object.entries(checks).map(([check, work]) => bounded(check, work, clock)));
  // Last, since looking into the database holds up everything else.
  return [...findings.flat(), ...(await bounded('data-directory', examineData(subject.data), clock))];
}

async function publishAndLook({ admin, zone }: Subject, world: ExaminationWorld): Promise<readonly Finding[]> {
  const probe = await askForProbe(admin, world.askHttp);
  if ('reason' in probe) return [skipped('round-trip', `no record was looked for: ${probe.reason}`)];
  return await examineRoundTrip(probe, zone, world);
}

/** What CAs say of themselves tells the time, too, and whether CAA above the zone forbids them. */
async function examineAuthorities(
  { authorities, zone }: Subject,
  { ask, askHttp }: ExaminationWorld,
): Promise<readonly Finding[]> {
  const asked = await Promise.all(authorities.map((authority) => examineAuthority(authority, askHttp)));
  const identities = asked.flatMap((authority) => authority.identities);
  const above = zone.expectedCaa.kind === 'open' ? await examineInheritedCaa({ ...zone, identities }, ask) : [];
  return [...asked.flatMap(({ findings }) => findings), judgeTime(asked.map(({ aheadMs }) => aheadMs)), ...above];
}

/** A check that fails by itself is a finding, and no reason to keep quiet about the others. */
async function bounded(check: string, work: Promise<readonly Finding[]>, clock: Clock): Promise<readonly Finding[]> {
  using limit = deadline(clock, CHECK_MS);
  const late = new Promise<readonly Finding[]>((resolve) => {
    limit.signal.addEventListener('abort', () => resolve([unfinished(check, 'it took too long')]), { once: true });
  });
  return await Promise.race([work.catch((fault: unknown) => [unfinished(check, describeError(fault))]), late]);
}

function unfinished(check: string, reason: string): Finding {
  return error(check, {
    what: `This could not be checked to its end: ${reason}.`,
    why: 'What was not looked at may be at fault.',
    mend: 'Mend what the other findings say, and run the doctor again.',
  });
}
