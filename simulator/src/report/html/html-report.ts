/** A run as one page that needs no network: may be mailed, archived and printed. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describeDuration } from '../duration.ts';
import type { Result } from '../result.ts';
import { CHART_SCRIPT } from './chart-script.ts';
import { chartsOf } from './charts.ts';
import type { Chart } from './charts.ts';
import { html, inlineData, inlineScript, inlineStyles } from './markup.ts';
import type { Inline, Markup } from './markup.ts';
import { STYLES } from './styles.ts';
import { card, figures, latencies, reserves, seriesTable, tallies } from './tables.ts';
import { verdict } from './verdict.ts';

export function htmlReport(result: Result): string {
  const { script, styles } = assets();
  const charts = chartsOf(result);
  const title = `${result.scenario}: ${result.isPassed ? 'passed' : 'failed'}`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policyFor(script, styles)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="lanyard-simulator ${result.version}" />
        <title>${title}</title>
        ${styles.element}
      </head>
      <body>
        <main>
          ${header(result)} ${verdict(result)} ${figures(result)}
          <noscript>${card('Over time', 'Charts need a script.', seriesTable(result))}</noscript>
          <div class="pair">${charts.map(chartCard)}</div>
          ${latencies(result)} ${reserves(result)}
          <div class="pair">${tallies(result)} ${eventCard(result)}</div>
          <footer class="faint">
            Made by lanyard-simulator ${result.version}. Event hash <code>${result.eventHash}</code>.
          </footer>
        </main>
        ${inlineData('charts', charts)} ${script.element}
      </body>
    </html> `;
  return page.toString();
}

function header({ scenario, about, gear, seed, appliances, simulatedMs, replay }: Result): Markup {
  const facts = `${gear} gear · ${appliances.toLocaleString('en')} appliances · ${describeDuration(simulatedMs)} · seed ${seed}`;
  return html`<header>
    <h1>${scenario}</h1>
    <p>${about}</p>
    <p class="faint">${facts}</p>
    <p class="replay"><code>${replay}</code></p>
  </header>`;
}

function chartCard({ id, title, about }: Chart): Markup {
  return card(
    title,
    about,
    html`<div class="chart" id="chart-${id}" role="img" aria-label="${title}: ${about}"></div>`,
  );
}

function eventCard({ events }: Result): Markup | string {
  if (events.length === 0) return '';
  const rows = events.map(
    ({ atMs, what, phase }) =>
      html`<tr>
        <td>${describeDuration(atMs)}</td>
        <th scope="row">${what}</th>
        <td>${phase}</td>
      </tr>`,
  );
  return card(
    'Events',
    'What the scenario did; dotted lines in the charts.',
    html`<table>
      <tbody>
        ${rows}
      </tbody>
    </table>`,
  );
}

function assets(): { readonly script: Inline; readonly styles: Inline } {
  const require = createRequire(import.meta.url);
  const library = readFileSync(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8');
  const libraryStyles = readFileSync(require.resolve('uplot/dist/uPlot.min.css'), 'utf8');
  return {
    script: inlineScript(`${library}\n${CHART_SCRIPT}`),
    styles: inlineStyles(`${libraryStyles}\n${STYLES}`),
  };
}

/** Nothing is loaded, nothing is sent, and only this very script runs. */
function policyFor(script: Inline, styles: Inline): string {
  const rules = [`default-src 'none'`, `script-src ${script.hash}`, `style-src ${styles.hash}`];
  return [...rules, `base-uri 'none'`, `form-action 'none'`].join('; ');
}
