/** The parts of a report that read without a script: figures, tables and bars. */
import { figureText } from '../demands.ts';
import { describeDuration } from '../duration.ts';
import type { Spread } from '../distribution.ts';
import type { Result } from '../result.ts';
import type { Counts } from '../snapshot.ts';
import { html } from './markup.ts';
import type { Markup } from './markup.ts';

export function figures(result: Result): Markup {
  const { appliances, certified, certifiedShare, timeToCertificateMs, expiryMarginMs, authority, expiries } = result;
  const shown: readonly (readonly [string, string])[] = [
    // Rounded down: what is not everybody is not to read as if it were.
    [`certified, of ${count(appliances)}`, `${Math.floor(certifiedShare * 1e4) / 100} %`],
    ['that is', count(certified)],
    ['time to certificate, half', duration(timeToCertificateMs.p50)],
    ['… ninety-nine in a hundred', duration(timeToCertificateMs.p99)],
    ['least expiry margin', duration(expiryMarginMs.min)],
    ['expired without excuse', count(expiries.unexcused)],
    ['refused by the CA’s limits', count(authority['limited'] ?? 0)],
    ['simulated', describeDuration(result.simulatedMs)],
    ['took', `${result.seconds} s`],
    ['memory at most', `${count(result.peakRssMb)} MB`],
  ];
  return html`<dl class="figures">
    ${shown.map(
      ([name, figure]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${figure}</dd>
        </div>`,
    )}
  </dl>`;
}

const LATENCY_COLUMNS = ['p50', 'p90', 'p95', 'p99', 'max'] as const;

/** Bars on a logarithmic scale: seconds and weeks fit into one. */
export function latencies(result: Result): Markup {
  const rows: readonly (readonly [string, Spread])[] = [
    ['first certificate', result.timeToCertificateMs],
    ['renewal', result.timeToRenewalMs],
    ['address in the DNS', result.publishLatencyMs],
  ];
  const most = Math.max(10, ...rows.map(([, { max = 0 }]) => max));
  const place = (ms: number | undefined): number => (100 * Math.log10(Math.max(1, ms ?? 1))) / Math.log10(most);
  const row = ([name, spread]: readonly [string, Spread]): Markup =>
    html`<tr>
      <th scope="row">${name}</th>
      <td class="number">${count(spread.count)}</td>
      ${LATENCY_COLUMNS.map((column) => html`<td class="number">${duration(spread[column])}</td>`)}
      <td class="bar">${bar([place(spread.max), 'rest'], [place(spread.p99), 'tail'], [place(spread.p50), 'part'])}</td>
    </tr>`;
  return card(
    'How long it took',
    'From wanting it to having it. Bars: half, ninety-nine in a hundred, all; on a logarithmic scale.',
    html`<table>
      <thead>
        <tr>
          <th></th>
          ${['count', ...LATENCY_COLUMNS].map((name) => html`<th class="number">${name}</th>`)}
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(row)}
      </tbody>
    </table>`,
  );
}

const RESERVE_COLUMNS = ['min', 'p1', 'p5', 'p50', 'p99', 'max'] as const;

export function reserves({ expiryMarginMs, flashBytesPerYear }: Result): Markup {
  const row = (name: string, spread: Spread, text: (figure: number | undefined) => string): Markup =>
    html`<tr>
      <th scope="row">${name}</th>
      ${RESERVE_COLUMNS.map((column) => html`<td class="number">${text(spread[column])}</td>`)}
    </tr>`;
  return card(
    'Reserves',
    'Left of a certificate when it was replaced, and bytes written to the flash by each appliance in a year.',
    html`<table>
      <thead>
        <tr>
          <th></th>
          ${RESERVE_COLUMNS.map((name) => html`<th class="number">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${row('expiry margin', expiryMarginMs, duration)}
        ${row('flash, bytes a year', flashBytesPerYear, (figure) => (figure === undefined ? '–' : count(figure)))}
      </tbody>
    </table>`,
  );
}

/** What was counted by name; of what never happened nothing is said, but that there were no problems. */
export function tallies(result: Result): readonly Markup[] {
  const { problems, refusals, authority, orders, certificates, limits, expiries, messages } = result;
  const isOneCa = Object.keys(certificates.byCa).every((ca) => ca === '0');
  const others: readonly (readonly [string, string, Counts])[] = [
    ['Refusals', 'What the broker answered appliances, by code.', refusals],
    ['The CA', 'What it did.', authority],
    ['Orders', 'What the CA took them for; those that replace a certificate in its window count nowhere.', orders],
    ['Certificates by CA', 'Who issued them: 0 is the first, the others took over.', isOneCa ? {} : certificates.byCa],
    ['Limits', 'Requests that the CA refused, by limit.', limits],
    ['Expiries with an excuse', 'Certificates that ended where nobody could renew them.', expiries.byExcuse],
    ['Messages', 'Between appliances and broker.', messages],
  ];
  return [
    tally('Problems', 'What appliances reported to their firmware, by code.', problems),
    ...others.filter(([, , counts]) => Object.keys(counts).length > 0).map((parts) => tally(...parts)),
  ];
}

function tally(title: string, about: string, counts: Counts): Markup {
  const entries = Object.entries(counts);
  const most = Math.max(1, ...entries.map(([, value]) => value));
  const rows = entries.map(
    ([name, value]) =>
      html`<tr>
        <th scope="row">${name}</th>
        <td class="number">${count(value)}</td>
        <td class="bar">${bar([(100 * value) / most, 'part'])}</td>
      </tr>`,
  );
  return card(
    title,
    about,
    rows.length === 0
      ? html`<p>None.</p>`
      : html`<table>
          <tbody>
            ${rows}
          </tbody>
        </table>`,
  );
}

const MOST_ROWS = 24;

/** The series for those who run no scripts. */
export function seriesTable({ series }: Result): Markup {
  const every = Math.ceil(series.live.length / MOST_ROWS);
  const columns = ['live', 'connected', 'certified', 'expired', 'orders', 'certificates', 'limited'] as const;
  const indexes = series.live.map((_, index) => index).filter((index) => (index + 1) % every === 0);
  const rows = (indexes.length === 0 ? [0] : indexes).map(
    (index) =>
      html`<tr>
        <th scope="row">${describeDuration((index + 1) * series.intervalMs)}</th>
        ${columns.map((column) => html`<td class="number">${count(series[column][index] ?? 0)}</td>`)}
      </tr>`,
  );
  return html`<table>
    <thead>
      <tr>
        <th>after</th>
        ${columns.map((name) => html`<th class="number">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

export function card(title: string, about: string, content: Markup): Markup {
  return html`<section class="card">
    <h2>${title}</h2>
    <p class="faint">${about}</p>
    <div class="wide">${content}</div>
  </section>`;
}

/** Parts over each other, the longest first; drawn with attributes, since the page allows no inline styles. */
function bar(...parts: readonly (readonly [percent: number, kind: string])[]): Markup {
  const rects = parts.map(
    ([percent, kind]) => html`<rect class="${kind}" width="${Math.max(0, percent).toFixed(1)}" height="14" />`,
  );
  return html`<svg viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true">
    <rect class="back" width="100" height="1" y="13" />
    ${rects}
  </svg>`;
}

function duration(ms: number | undefined): string {
  return ms === undefined ? '–' : figureText('Ms', ms);
}

/** The same on every machine, whatever its language. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}
