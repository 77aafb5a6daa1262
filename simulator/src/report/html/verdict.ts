/** Whether the run passed, and why not: first in the report, for it is what one opens it for. */
import { describeDuration } from '../duration.ts';
import type { Result, Violation } from '../result.ts';
import { html } from './markup.ts';
import type { Markup } from './markup.ts';
import { count } from './tables.ts';

export function verdict(result: Result): Markup {
  const { isPassed, demands, violations } = result;
  const unmet = demands.filter(({ isMet }) => !isMet).length;
  const promises =
    violations.total === 0 ? 'No promise was broken.' : `Promises were broken ${count(violations.total)} times.`;
  const asked =
    demands.length === 0 ? 'Nothing was demanded.' : `${demands.length - unmet} of ${demands.length} demands are met.`;
  const tolerated = violations.tolerated === 0 ? '' : ` ${count(violations.tolerated)} more tolerated.`;
  return html`<section class="card verdict ${isPassed ? 'good' : 'bad'}">
    <h2>${isPassed ? '✓ Passed' : '✗ Failed'}</h2>
    <p>${promises}${tolerated} ${asked}</p>
    ${demands.length === 0 ? '' : demandTable(result)}
    ${violations.shown.map((violation, index) => violationDetails(violation, index === 0))}
    ${violations.shown.length < violations.total + violations.tolerated ? html`<p class="faint">The first ones only.</p>` : ''}
  </section>`;
}

function demandTable({ demands }: Result): Markup {
  const rows = demands.map(
    ({ measure, wantedText, foundText, isMet, because }) =>
      html`<tr>
        <th scope="row">
          <code>${measure}</code>${because === undefined ? '' : html`<div class="faint">${because}</div>`}
        </th>
        <td>${wantedText}</td>
        <td>${foundText}</td>
        <td class="${isMet ? 'met' : 'unmet'}">${isMet ? '✓ met' : '✗ not met'}</td>
      </tr>`,
  );
  return html`<div class="wide">
    <table>
      <thead>
        <tr>
          <th>Demand</th>
          <th>Wanted</th>
          <th>Found</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function violationDetails(violation: Violation, isOpen: boolean): Markup {
  const { invariant, atMs, appliance, detail, lastEvents, replay, tolerated } = violation;
  const who = appliance === undefined ? '' : `, appliance ${appliance}`;
  return html`<details ${isOpen ? 'open' : ''}>
    <summary>
      <b class="${tolerated === undefined ? 'unmet' : ''}">${invariant}</b> after ${describeDuration(atMs)}${who}:
      ${detail}
    </summary>
    ${tolerated === undefined ? '' : html`<p class="faint">Tolerated: ${tolerated}</p>`}
    <pre>${lastEvents.join('\n')}</pre>
    <p class="replay"><code>${replay}</code></p>
  </details>`;
}
