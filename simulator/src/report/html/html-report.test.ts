import { createHash } from 'node:crypto';
import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { exampleResult, ONE_CERTIFIED } from '../example-result.ts';
import type { ExamplePlan } from '../example-result.ts';
import { htmlReport } from './html-report.ts';

const HOSTILE = `</script><script>alert('1')</script><img src=x onerror="alert(2)"><!-- & `;
const VOID_ELEMENTS = new Set(['meta', 'rect', '!doctype']);

const reportOf = (plan: ExamplePlan = {}): string => htmlReport(exampleResult(plan));

/** Every element of the page, and what stands in it when it is a script or a style sheet. */
function elementsOf(page: string): { readonly name: string; readonly attributes: string; readonly raw: string }[] {
  const found = [...page.matchAll(/<(script|style)([^>]*)>(.*?)<\/\1>|<([a-z!][a-z0-9]*)([^>]*)>/gis)];
  return found.map(([, raw, rawAttributes, text, name, attributes]) => ({
    name: (raw ?? name ?? '').toLowerCase(),
    attributes: rawAttributes ?? attributes ?? '',
    raw: text ?? '',
  }));
}

/** Names of the elements that are open where another one ends. */
function misnested(page: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  const bare = page.replaceAll(/<(script|style)[^>]*>.*?<\/\1>/gis, '');
  for (const [, end, name = ''] of bare.matchAll(/<(\/?)([a-z!][a-z0-9]*)[^>]*>/gi)) {
    if (VOID_ELEMENTS.has(name.toLowerCase())) continue;
    if (end === '') open.push(name);
    else if (open.pop() !== name) wrong.push(name);
  }
  return [...wrong, ...open];
}

const hostile: ExamplePlan = {
  facts: [
    ...ONE_CERTIFIED,
    { atMs: 5_000, kind: 'problem', code: HOSTILE },
    { atMs: 5_000, kind: 'authority', what: 'limited', about: HOSTILE },
    { atMs: 5_000, kind: 'event', what: HOSTILE, phase: 'begins' },
    { atMs: 6_000, kind: 'expired', appliance: 0, excuse: HOSTILE },
  ],
  run: { scenario: HOSTILE, about: HOSTILE, gear: HOSTILE, replay: HOSTILE, eventHash: HOSTILE, version: HOSTILE },
  demands: [{ measure: 'certified', atLeast: 1, because: HOSTILE }],
  violations: [
    { invariant: HOSTILE, atMs: 1, detail: HOSTILE, lastEvents: [HOSTILE], replay: HOSTILE, tolerated: HOSTILE },
  ],
};

test('names cannot become markup', () => {
  const benign = elementsOf(reportOf({ ...hostile, run: {}, violations: [] })).filter(({ name }) => name === 'script');
  const page = reportOf(hostile);
  expect(elementsOf(page).filter(({ name }) => name === 'script')).toHaveLength(benign.length);
  expect(page).not.toContain('<img');
  expect(page).not.toContain('alert(2)">');
  expect(page).toContain('&lt;/script&gt;&lt;script&gt;alert(&#39;1&#39;)');
  expect(misnested(page)).toEqual([]);
});

test('bucket names in the charts’ data cannot end it', () => {
  const measured = exampleResult(hostile);
  const buckets = { [HOSTILE]: { burst: 1, left: [1] } };
  const page = htmlReport({ ...measured, series: { ...measured.series, buckets } });
  const data = elementsOf(page).find(({ attributes }) => attributes.includes('application/json'));
  expect(JSON.stringify(JSON.parse(data?.raw ?? ''))).toContain(JSON.stringify(HOSTILE));
});

test.each<[string, ExamplePlan]>([
  ['a run', { facts: ONE_CERTIFIED }],
  ['a run of nothing at all', {}],
  ['a run of one interval', { facts: ONE_CERTIFIED.slice(0, 2), lengthMs: 400_000 }],
  ['a run of a year', { facts: ONE_CERTIFIED, lengthMs: 365 * 86_400_000 }],
  ['hostile names', hostile],
])('%s is a page of its own: nothing is loaded, and only its own script runs', (_, plan) => {
  const page = reportOf(plan);
  const elements = elementsOf(page);
  expect(misnested(page)).toEqual([]);
  const policy = /Content-Security-Policy"\s+content="([^"]*)"/.exec(page)?.[1] ?? '';
  expect(policy).toContain(`default-src &#39;none&#39;`);
  for (const { attributes } of elements) {
    const names = attributes.replaceAll(/"[^"]*"/g, '');
    expect(names).not.toMatch(/\s(?:src|href|style|on[a-z]+|action|data)\s*=/i);
  }
  for (const { raw } of elements.filter(({ raw: text, attributes }) => text !== '' && !attributes.includes('json'))) {
    expect(policy).toContain(`sha256-${createHash('sha256').update(raw).digest('base64')}`);
  }
  for (const { raw } of elements.filter(({ name }) => name === 'style')) expect(raw).not.toMatch(/url\(|@import/);
  const [script] = elements.filter(({ name, attributes }) => name === 'script' && attributes === '');
  expect(() => new Script(script?.raw ?? ')')).not.toThrow();
});

test('the verdict comes with what decided it', () => {
  const demands = [{ measure: 'timeToCertificateMs.p99', atMost: '1s', because: 'promise P2' }];
  const failed = reportOf({ facts: ONE_CERTIFIED, demands });
  expect(failed).toContain('✗ Failed');
  expect(failed).toMatch(/timeToCertificateMs\.p99.*promise P2.*at most 1s.*4s.*not met/s);
  expect(reportOf({ facts: ONE_CERTIFIED })).toContain('✓ Passed');
});

test('all but one in a hundred thousand is not everybody', () => {
  const result = { ...exampleResult(), appliances: 100_000, certified: 99_999, certifiedShare: 0.99999 };
  expect(htmlReport(result)).toContain('99.99 %');
});

test('charts that would show nothing are left out, and every other one has its place', () => {
  const page = reportOf();
  const data = elementsOf(page).find(({ attributes }) => attributes.includes('application/json'));
  const charts: unknown = JSON.parse(data?.raw ?? '');
  const ids = Array.isArray(charts) ? charts.map(({ id }: { id: string }) => id) : [];
  expect(ids).toEqual(['certified', 'issuance', 'connections', 'hellos']);
  for (const id of ids) expect(page).toContain(`id="chart-${id}"`);
});
