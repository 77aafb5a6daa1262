/** Measurements in the text format of Prometheus. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Spread } from './distribution.ts';
import type { Counts, Snapshot } from './snapshot.ts';

const PREFIX = 'lanyard_simulator_';
const QUANTILES = { '0.5': 'p50', '0.9': 'p90', '0.95': 'p95', '0.99': 'p99', '1': 'max' } as const;

/** Made anew for each scrape, so that nothing need be kept in step and several runs can share a process. */
export async function exposition(
  snapshot: Snapshot,
  scenario: string,
): Promise<{ readonly text: string; readonly contentType: string }> {
  const registry = new Registry();
  registry.setDefaultLabels({ scenario });
  const { heads, happenings, simulatedMs, expiries } = snapshot;

  counter(registry, 'happenings_total', 'Everything that happened.', happenings);
  gauge(registry, 'simulated_seconds', 'How far the run is, in its own time.', simulatedMs / 1_000);
  gaugeByLabel(registry, 'appliances', 'Appliances by what they are; one can be several.', 'state', {
    live: heads.live,
    connected: heads.connected,
    certified: heads.certified,
    expired: heads.expired,
  });
  counter(
    registry,
    'expiries_unexcused_total',
    'Certificates that ended though they could be renewed.',
    expiries.unexcused,
  );
  counterByLabel(
    registry,
    'expiries_excused_total',
    'Certificates that nobody could renew, by why.',
    'excuse',
    expiries.byExcuse,
  );
  counterByLabel(registry, 'problems_total', 'What appliances reported to their firmware.', 'code', snapshot.problems);
  counterByLabel(registry, 'refusals_total', 'What the broker answered appliances.', 'code', snapshot.refusals);
  counterByLabel(registry, 'messages_total', 'Messages between appliances and broker.', 'kind', snapshot.messages);
  counterByLabel(registry, 'authority_total', 'What the CA did.', 'deed', snapshot.authority);
  counterByLabel(registry, 'orders_total', 'Orders by what the CA took them for.', 'kind', snapshot.orders);
  counterByLabel(registry, 'certificates_total', 'Certificates by the CA.', 'ca', snapshot.certificates.byCa);
  counterByLabel(registry, 'limited_total', 'Requests that the CA refused, by limit.', 'limit', snapshot.limits);
  quantiles(registry, 'time_to_certificate', 'From power-on to the first certificate.', snapshot.timeToCertificateMs);
  quantiles(registry, 'time_to_renewal', 'From the wish to the next certificate.', snapshot.timeToRenewalMs);
  quantiles(registry, 'publish_latency', 'From another address to its name pointing there.', snapshot.publishLatencyMs);
  return { text: await registry.metrics(), contentType: registry.contentType };
}

function counter(registry: Registry, name: string, help: string, value: number): void {
  new Counter({ name: PREFIX + name, help, registers: [registry] }).inc(value);
}

function gauge(registry: Registry, name: string, help: string, value: number): void {
  new Gauge({ name: PREFIX + name, help, registers: [registry] }).set(value);
}

function counterByLabel(registry: Registry, name: string, help: string, label: string, counts: Counts): void {
  const metric = new Counter({ name: PREFIX + name, help, labelNames: [label], registers: [registry] });
  for (const [value, count] of Object.entries(counts)) metric.inc({ [label]: value }, count);
}

function gaugeByLabel(registry: Registry, name: string, help: string, label: string, counts: Counts): void {
  const metric = new Gauge({ name: PREFIX + name, help, labelNames: [label], registers: [registry] });
  for (const [value, count] of Object.entries(counts)) metric.set({ [label]: value }, count);
}

/** Over the whole run so far. The client's own summary wants every figure again; here they are already counted. */
function quantiles(registry: Registry, name: string, help: string, spread: Spread): void {
  const labelNames = ['quantile'];
  const metric = new Gauge({ name: `${PREFIX}${name}_seconds`, help, labelNames, registers: [registry] });
  for (const [quantile, field] of Object.entries(QUANTILES)) {
    const ms = spread[field];
    if (ms !== undefined) metric.set({ quantile }, ms / 1_000);
  }
  counter(registry, `${name}_total`, `How many: ${help}`, spread.count);
}
