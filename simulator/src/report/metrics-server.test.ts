import { afterEach, expect, test } from 'vitest';
import { exampleMeasurements, ONE_CERTIFIED } from './example-result.ts';
import type { Measurements } from './measurements.ts';
import { MetricsServer } from './metrics-server.ts';

const running: MetricsServer[] = [];

async function serverFor(measurements: Measurements, port = 0): Promise<MetricsServer> {
  const server = new MetricsServer({ snapshot: () => measurements.snapshot(), scenario: 'ramp', port });
  running.push(server);
  await server.start();
  return server;
}

async function scrape(server: MetricsServer, path = '/metrics'): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
  expect(response.status).toBe(200);
  return response.text();
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

test('every scrape tells how the run is at that moment', async () => {
  const measurements = exampleMeasurements({ facts: ONE_CERTIFIED });
  const server = await serverFor(measurements);
  const first = await scrape(server);
  expect(first).toContain('lanyard_simulator_appliances{state="certified",scenario="ramp"} 1\n');
  expect(first).toContain('lanyard_simulator_authority_total{deed="ordered",scenario="ramp"} 1\n');
  expect(first).toContain('lanyard_simulator_time_to_certificate_seconds{quantile="0.99",scenario="ramp"} 4\n');
  measurements.note({ atMs: 9_000, kind: 'problem', code: 'a "quoted"\ncode' });
  const second = await scrape(server);
  expect(second).toContain(String.raw`lanyard_simulator_problems_total{code="a \"quoted\"\ncode",scenario="ramp"} 1`);
  expect(second).toContain('lanyard_simulator_happenings_total{scenario="ramp"} 7\n');
});

test('what nobody measured yet has no quantiles, and is counted as none', async () => {
  const text = await scrape(await serverFor(exampleMeasurements()));
  expect(text).not.toContain('quantile=');
  expect(text).toContain('lanyard_simulator_time_to_certificate_total{scenario="ramp"} 0\n');
});

test('two runs in one process do not mix', async () => {
  const busy = await serverFor(exampleMeasurements({ facts: ONE_CERTIFIED }));
  const idle = await serverFor(exampleMeasurements());
  expect(await scrape(busy)).toContain('{state="live",scenario="ramp"} 1\n');
  expect(await scrape(idle)).toContain('{state="live",scenario="ramp"} 0\n');
});

test('whoever comes to the root finds the way', async () => {
  expect(await scrape(await serverFor(exampleMeasurements()), '/')).toContain('href="/metrics"');
});

test('a port that is taken is named, and stopping twice is harmless', async () => {
  const first = await serverFor(exampleMeasurements());
  await expect(serverFor(exampleMeasurements(), first.port)).rejects.toMatchObject({
    code: 'listener-failed',
    message: expect.stringContaining(`metrics on 127.0.0.1:${first.port}`),
  });
  await first.stop();
  await first.stop();
});
