/** How the broker's parts are, for the health check. */
import type { HealthFinding } from './admin/admin-api.ts';
import { allCas } from './authorities.ts';
import type { ConfiguredCa, ConfiguredCas } from './authorities.ts';
import type { ForeignWatch } from './certificates/foreign/foreign-watch.ts';
import type { Issuer, Issuers } from './certificates/issuers.ts';
import type { EmbeddedBroker } from './mqtt/embedded-broker.ts';

export interface ExaminedParts {
  readonly mqtt: Pick<EmbeddedBroker, 'address' | 'connectedCount'>;
  readonly cas: ConfiguredCas;
  readonly issuers: Issuers;
  readonly foreign: Pick<ForeignWatch, 'unsettled'>;
}

export function healthOf({ mqtt, cas, issuers, foreign }: ExaminedParts): readonly HealthFinding[] {
  return [
    { part: 'mqtt', isHealthy: mqtt.address() !== undefined, detail: `${mqtt.connectedCount()} appliances connected` },
    ...allCas(cas).map((ca) => caHealth(ca, issuers.byId(ca.terms.id), ca === cas.ranked[0])),
    foreignHealth(foreign),
  ];
}

/** That a CA is away is nothing that another broker would mend, nor a spare one that does not open its account. */
function caHealth({ terms, authority }: ConfiguredCa, issuer: Issuer | undefined, isFirst: boolean): HealthFinding {
  const { accountUrl } = authority;
  const awaySinceMs = issuer?.gate.awaySinceMs();
  const away = awaySinceMs === undefined ? '' : `; away since ${new Date(awaySinceMs).toISOString()}`;
  const detail = `${accountUrl ?? `no account at ${terms.id} yet`}${away}`;
  return { part: 'acme', isHealthy: accountUrl !== undefined || !isFirst, detail };
}

function foreignHealth({ unsettled }: ExaminedParts['foreign']): HealthFinding {
  const detail = unsettled === 0 ? 'none is known' : `${unsettled} to be looked into: lanyard foreign list`;
  return { part: 'foreign-certificates', isHealthy: unsettled === 0, detail };
}
