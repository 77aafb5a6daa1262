/** The main job, told as a story: from power-on to padlock, then life goes on. */
import type { VirtualAppliance } from '../fleet/virtual-appliance.ts';
import type { Storyteller } from '../report/storyteller.ts';
import { table } from '../report/table.ts';
import type { Visit } from '../world/visitor.ts';
import { forEach, isPublished, untilAll, visitAll } from './crowd.ts';
import type { Town } from './town.ts';

export interface DemoResult {
  readonly appliances: number;
  readonly named: number;
  readonly certified: number;
  readonly padlocks: number;
  readonly moved: number;
  readonly renewed: number;
}

/** How many move house, and how many are renewed before their time. */
const MOVERS = 3;
const RENEWED = 3;

/** The last chapter's visits decide; an appliance without a padlock then was not served. */
export async function demo(town: Town, story: Storyteller): Promise<DemoResult> {
  const { appliances } = town;
  await powerOn(town, story);
  await firstVisits(town, story);
  const movers = appliances.slice(0, MOVERS);
  const renewals = appliances.slice(MOVERS, MOVERS + RENEWED);
  const before = new Map(appliances.map((appliance) => [appliance, appliance.certificate()?.fingerprint]));

  story.chapter('Life goes on');
  await move(movers, story);
  await renew(town, renewals, before, story);
  await restartBroker(town, story);

  story.chapter('Visitors again');
  const visits = await visitAll(town, (count) => story.progress('pages opened', count, appliances.length));
  story.show(['', ...table([['appliance', 'site', 'LAN address', 'name', 'padlock'], ...rowsOf(town, visits)]), '']);
  const isShown = (appliance: VirtualAppliance): Visit | undefined => visits[appliances.indexOf(appliance)];
  return {
    appliances: appliances.length,
    named: visits.filter(({ addresses }) => addresses.length > 0).length,
    certified: appliances.filter((appliance) => appliance.certificate() !== undefined).length,
    padlocks: visits.filter(({ hasPadlock }) => hasPadlock).length,
    moved: movers.filter((appliance) => isShown(appliance)?.addresses.includes(appliance.address)).length,
    renewed: renewals.filter((appliance) => hasNewCertificate(appliance, isShown(appliance), before)).length,
  };
}

export function isComplete(result: DemoResult): boolean {
  const { appliances, named, certified, padlocks, moved, renewed } = result;
  const wanted = [Math.min(MOVERS, appliances), Math.max(0, Math.min(RENEWED, appliances - MOVERS))] as const;
  const isEveryone = [named, certified, padlocks].every((count) => count === appliances);
  return isEveryone && moved === wanted[0] && renewed === wanted[1];
}

async function powerOn({ appliances, sites }: Town, story: Storyteller): Promise<void> {
  story.chapter('Power on');
  const shared = sites.filter((site) => site.kind === 'cgnat').length;
  story.tell(
    `${appliances.length} appliances in ${sites.length} sites, ${shared} of them behind a carrier’s NAT; LANs collide on purpose`,
  );
  const certified = untilAll(appliances, 'certified', hasCertificate, (count) =>
    story.progress('have their certificate', count, appliances.length),
  );
  await Promise.all([certified, forEach(appliances, (appliance) => appliance.powerOn())]);
  const [first] = appliances;
  if (first) story.tell(`${first.deviceId} is now https://${first.name}/ at ${first.address} in its LAN`);
}

async function firstVisits(town: Town, story: Storyteller): Promise<void> {
  story.chapter('Visitors');
  const visits = await visitAll(town, (count) => story.progress('pages opened', count, town.appliances.length));
  const padlocks = visits.filter(({ hasPadlock }) => hasPadlock).length;
  story.tell(`${padlocks} of ${visits.length} visitors saw a padlock`);
  for (const { name, complaint } of visits) if (complaint) story.tell(`${name}: ${complaint}`);
}

async function move(movers: readonly VirtualAppliance[], story: Storyteller): Promise<void> {
  for (const appliance of movers) {
    const former = appliance.address;
    appliance.move();
    story.tell(`DHCP moves ${appliance.deviceId} from ${former} to ${appliance.address}`);
  }
  await untilAll(movers, 'published at its new address', isPublished, (count) => {
    story.progress('names follow', count, movers.length);
  });
}

async function renew(
  { admin }: Town,
  renewals: readonly VirtualAppliance[],
  before: ReadonlyMap<VirtualAppliance, string | undefined>,
  story: Storyteller,
): Promise<void> {
  const isRenewed = (appliance: VirtualAppliance): boolean =>
    appliance.certificate() !== undefined && appliance.certificate()?.fingerprint !== before.get(appliance);
  await forEach(renewals, (appliance) => admin.post(`/v1/appliances/${appliance.deviceId}/renew`));
  await untilAll(renewals, 'renewed', isRenewed, (count) => {
    story.progress('renewed, each with a new key', count, renewals.length);
  });
}

async function restartBroker({ broker, appliances }: Town, story: Storyteller): Promise<void> {
  story.tell('the broker is killed, as by a power cut');
  await broker.kill();
  await untilAll(
    appliances,
    'aware of it',
    (appliance) => appliance.status()?.link !== 'up',
    () => {},
  );
  const [first] = appliances;
  if (first) story.tell(`meanwhile ${first.deviceId} serves on: its certificate is its own`);
  await broker.start();
  await untilAll(
    appliances,
    'back',
    (appliance) => appliance.status()?.link === 'up',
    (count) => {
      story.progress('came back to the broker', count, appliances.length);
    },
  );
}

function hasCertificate(appliance: VirtualAppliance): boolean {
  return appliance.certificate() !== undefined;
}

function hasNewCertificate(
  appliance: VirtualAppliance,
  seen: Visit | undefined,
  before: ReadonlyMap<VirtualAppliance, string | undefined>,
): boolean {
  return seen?.hasPadlock === true && seen.fingerprint !== before.get(appliance);
}

function rowsOf({ appliances }: Town, visits: readonly Visit[]): string[][] {
  return appliances.map(({ deviceId, lan, name }, index) => {
    const visit = visits[index];
    const padlock = visit?.hasPadlock ? 'yes' : `no: ${visit?.complaint ?? 'not visited'}`;
    return [deviceId, lan.site.name, visit?.addresses.join(', ') ?? '', name, padlock];
  });
}

/** What to try by hand while the town is kept. */
export function linesToTry(
  { appliances, nameServer, directory, authority }: Town,
  rootPath: string,
): readonly string[] {
  const [appliance] = appliances;
  if (appliance === undefined) return [];
  const { name, address, lan } = appliance;
  const endpoint = lan.reach(address);
  return [
    'Try:',
    `  dig @${nameServer.host} -p ${nameServer.port} ${name} A`,
    `  curl --cacert ${rootPath} --connect-to ${name}:443:${endpoint?.host}:${endpoint?.port} https://${name}/`,
    `  npx lanyard --config ${directory}/lanyard.yaml device list`,
    `The CA’s directory is ${authority.directoryUrl}`,
    'Ctrl-C ends it and cleans up.',
  ];
}
