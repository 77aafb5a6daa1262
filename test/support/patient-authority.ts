/** The model CA with resolvers that ask again while our name server restarts, as recursive ones do for some seconds. */
import { silentLogger, sleep, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { startModelAuthority } from '@lanyard/simulator';
import type { ModelAuthorityStart, RunningModelAuthority, TownPlan } from '@lanyard/simulator';
import { DnsResolver } from '../../simulator/src/world/authority/dns-resolver.ts';
import { LookupFailure } from '../../simulator/src/world/authority/resolver.ts';
import type { Resolver } from '../../simulator/src/world/authority/resolver.ts';
import type { CountingAuthority, Counted } from './counting-authority.ts';

/** Longer than a broker takes to start on a machine under load. */
const PATIENCE_MS = 60_000;
const ASK_AGAIN_MS = 50;

export class PatientAuthority implements CountingAuthority {
  readonly #limits: ModelAuthorityStart['limits'];
  #running: RunningModelAuthority | undefined;
  #refusals = 0;

  /** @param limits none when left out. */
  constructor(limits?: ModelAuthorityStart['limits']) {
    this.#limits = limits;
  }

  readonly start: NonNullable<TownPlan['startAuthority']> = async (server, zone) => {
    const world = { clock: systemClock, random: systemRandom, log: silentLogger };
    const resolver = patient(new DnsResolver({ ...world, server, zones: [zone] }));
    this.#running = await startModelAuthority({
      ...world,
      resolver,
      ...(this.#limits && { limits: this.#limits }),
      onEvent: ({ kind }) => {
        if (kind === 'limited' || kind === 'overdrawn') this.#refusals++;
      },
    });
    return { ...this.#running, caaIdentity: 'model.lanyard.test' };
  };

  statistics(): ReturnType<RunningModelAuthority['statistics']> {
    if (this.#running === undefined) throw new Error('the model CA was not started');
    return this.#running.statistics();
  }

  counted(): Counted {
    const { orders, certificates, failedValidations } = this.statistics();
    return { orders, certificates, failedValidations, refusals: this.#refusals };
  }
}

function patient(resolver: Resolver): Resolver {
  return {
    txt: (name, signal) => persist(() => resolver.txt(name, signal)),
    caa: (name, signal) => persist(() => resolver.caa(name, signal)),
  };
}

async function persist<T>(look: () => Promise<T>): Promise<T> {
  for (const untilMs = systemClock.monotonicMs() + PATIENCE_MS; ;) {
    try {
      return await look();
    } catch (error) {
      const isFinal = !(error instanceof LookupFailure) || error.outcome === 'NXDOMAIN';
      if (isFinal || systemClock.monotonicMs() > untilMs) throw error;
      await sleep(systemClock, ASK_AGAIN_MS);
    }
  }
}
