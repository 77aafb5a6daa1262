/** A town whose broker dies, with budgets that just do: what was asked of the CA, and what is left behind. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { deadline, sleep, systemClock } from '@lanyard/sdk/kernel';
import { openTown } from '@lanyard/simulator';
import type { ModelAuthorityStart, Town, VirtualAppliance } from '@lanyard/simulator';
import { parseDocument } from 'yaml';
import type { CountingAuthority } from './counting-authority.ts';

/** What the CA allows in all: nothing comes back during a test. */
export interface Allowance {
  readonly newOrders: number;
  /** Certificates of the whole domain that are no renewals. */
  readonly ofDomain: number;
  /** Certificates of one name. */
  readonly ofSet: number;
}

export interface DyingTownPlan {
  readonly appliances: number;
  readonly allowance: Allowance;
  readonly authority: CountingAuthority;
}

/** What must not be there when all is done. */
export interface Leftovers {
  readonly openOrders: number;
  /** Appliances whose newest certificate nobody has seen in use. */
  readonly uninstalled: number;
  readonly challengeRecords: number;
}

const YEAR_MS = 365 * 86_400_000;
/** For everything that follows one death, on a machine under load; the pause after a failed validation is a minute. */
const PATIENCE_MS = 150_000;
const LOOK_AGAIN_MS = 50;

/** First certificates leave a tenth of the account's new orders to renewals (`LEAVING` of the broker's priorities). */
export function enoughFor(newOrders: number): number {
  let burst = newOrders;
  while (burst - Math.floor(burst / 10) < newOrders) burst++;
  return burst;
}

export function limitsOf({ newOrders, ofDomain, ofSet }: Allowance): NonNullable<ModelAuthorityStart['limits']> {
  const limits = {
    newOrdersPerAccount: inAYear(newOrders),
    certificatesPerDomain: inAYear(ofDomain),
    certificatesPerSet: inAYear(ofSet),
  };
  return { limits, ceilings: {} };
}

export async function openDyingTown({ appliances, allowance, authority }: DyingTownPlan): Promise<DyingTown> {
  const directory = await mkdtemp(join(tmpdir(), 'lanyard-dying-'));
  const point = join(directory, 'point');
  const preload = new URL('die-at.ts', import.meta.url);
  preload.searchParams.set('at', point);
  const nodeOptions = ['--import', preload.href];
  const town = await openTown({ appliances, sites: 7, seed: 1, startAuthority: authority.start, nodeOptions });
  await town.broker.stop();
  await keepTo(allowance, town);
  await town.broker.start();
  return new DyingTown(town, allowance, point);
}

export class DyingTown {
  readonly town: Town;
  readonly #allowance: Allowance;
  readonly #point: string;

  constructor(town: Town, allowance: Allowance, point: string) {
    this.town = town;
    this.#allowance = allowance;
    this.#point = point;
  }

  async close(): Promise<void> {
    await this.town.close();
    await rm(join(this.#point, '..'), { recursive: true, force: true });
  }

  /** As soon as it comes by there; see `die-at.ts`. */
  async dieAt(point: string): Promise<void> {
    await writeFile(this.#point, point);
  }

  /** @throws when it is alive, or died of something else. */
  async died(): Promise<void> {
    using limit = deadline(systemClock, PATIENCE_MS);
    const tooLate = new Promise<'alive'>((resolve) => {
      limit.signal.addEventListener('abort', () => resolve('alive'));
    });
    const ended = await Promise.race([this.town.broker.ended(), tooLate]);
    if (ended !== 'alive' && !existsSync(this.#point)) return;
    const point = await readFile(this.#point, 'utf8');
    await rm(this.#point);
    throw new Error(ended === 'alive' ? `the broker never came by "${point}"` : `the broker died before "${point}"`);
  }

  /** Resolves when so many certificates were issued in all, and nothing is left to do. */
  async settled(appliances: readonly VirtualAppliance[], certificates: number): Promise<void> {
    for (const untilMs = systemClock.monotonicMs() + PATIENCE_MS; ; await sleep(systemClock, LOOK_AGAIN_MS)) {
      const left = { missing: certificates - this.certificates(), ...this.leftovers() };
      const waiting = appliances.filter((appliance) => appliance.certificate() === undefined);
      if (waiting.length === 0 && Object.values(left).every((count) => count === 0)) return;
      if (systemClock.monotonicMs() < untilMs) continue;
      const orders = this.ask('SELECT kind, failures, last_failure FROM orders WHERE kind <> ?', 'issued');
      throw new Error(JSON.stringify({ waiting: waiting.map(({ deviceId }) => deviceId), ...left, orders }));
    }
  }

  leftovers(): Leftovers {
    return {
      openOrders: this.#count("FROM orders WHERE kind <> 'issued'"),
      uninstalled: this.#count(`FROM certificates WHERE installed_at_ms IS NULL AND id IN
        (SELECT max(id) FROM certificates GROUP BY device_id)`),
      challengeRecords: this.#count("FROM zone_records WHERE type = 'TXT'"),
    };
  }

  /** In the books of the broker. */
  certificates(): number {
    return this.#count('FROM certificates');
  }

  /** Orders whose request may be at the CA without the broker knowing of the answer. */
  lostAnswers(): number {
    return this.#count("FROM orders WHERE kind = 'ordering'");
  }

  spentNewOrders(): number {
    return Math.max(0, ...this.#spent().flatMap(({ limit, spent }) => (limit === 'new-orders' ? [spent] : [])));
  }

  /** Buckets that hold less than nothing. */
  overdrawn(): readonly unknown[] {
    return this.#spent().filter(({ spent, burst }) => spent > burst);
  }

  /** Looks into the database from outside, as an operator could: WAL lets readers in at any time. */
  ask(question: string, ...given: readonly string[]): readonly Record<string, unknown>[] {
    const database = new DatabaseSync(join(this.town.directory, 'data', 'lanyard.sqlite'), { readOnly: true });
    try {
      return database
        .prepare(question)
        .all(...given)
        .map((row) => ({ ...row }));
    } finally {
      database.close();
    }
  }

  #count(what: string): number {
    return Number(this.ask(`SELECT count(*) AS n ${what}`)[0]?.['n']);
  }

  /** A token takes days to come back, so minutes are lost in the rounding. */
  #spent(): readonly {
    readonly limit: string;
    readonly subject: string;
    readonly spent: number;
    readonly burst: number;
  }[] {
    const { newOrders, ofDomain, ofSet } = this.#allowance;
    const bursts = { 'new-orders': newOrders, 'registered-domain': ofDomain, 'exact-set': ofSet };
    return Object.entries(bursts).flatMap(([limit, burst]) =>
      this.ask('SELECT subject, full_at_ms FROM buckets WHERE bucket_limit = ?', limit).map((row) => {
        const spent = Math.round((Number(row['full_at_ms']) - Date.now()) / (YEAR_MS / burst));
        return { limit, subject: String(row['subject']), spent, burst };
      }),
    );
  }
}

async function keepTo({ newOrders, ofDomain, ofSet }: Allowance, { broker }: Town): Promise<void> {
  const settings = parseDocument(await readFile(broker.settingsPath, 'utf8'));
  settings.setIn(['acme', 'limits'], 'letsencrypt');
  const overrides = { 'new-orders': newOrders, 'registered-domain': ofDomain, 'exact-set': ofSet };
  for (const [limit, burst] of Object.entries(overrides)) settings.setIn(['acme', 'overrides', limit], inAYear(burst));
  await writeFile(broker.settingsPath, settings.toString());
}

function inAYear(burst: number): { readonly burst: number; readonly periodMs: number } {
  return { burst, periodMs: YEAR_MS };
}
