/** A plan as one page that needs no network and no script: may be mailed and printed. */
import { count, day, duration, measure, period, several } from './figures.ts';
import type { Plan } from './plan.ts';
import { certifiedBy } from './roll-out.ts';
import type { RollOut } from './roll-out.ts';
import { escaped, svgLines } from './svg-lines.ts';
import type { Drawing, Line, Point } from './svg-lines.ts';

export interface ChartParts {
  /** Base64 of the hash of a text: by it the page’s policy knows its style sheet. */
  readonly sha256: (text: string) => string;
}

const DAY_MS = 86_400_000;
/** Of a curve. */
const POINTS = 160;
/** After the last change of lifetimes, so that its step is seen. */
const AFTERWARDS_MS = 180 * DAY_MS;

export function planChart(plan: Plan, { sha256 }: ChartParts): string {
  const { fleet, ca, profile, fromMs } = plan;
  const title = `${several(fleet.appliances, 'appliance')} at ${ca}`;
  const policy = `default-src 'none'; style-src 'sha256-${sha256(STYLES)}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLES}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p>${escaped(`${several(fleet.zones, 'zone')}, profile ${profile}, from ${day(fromMs)}`)}</p>
<h2>Certified</h2>
<p>${rollOutWords(plan).map(escaped).join('<br>')}</p>
${svgLines(certifiedDrawing(plan))}
<h2>Renewals a day</h2>
<p>When every certificate has the lifetime of its date.</p>
${svgLines(steadyDrawing(plan))}
${steadyTable(plan)}
</main>
</body>
</html>
`;
}

function rollOutWords({ fromMs, rollOut, ask }: Plan): readonly string[] {
  const words = (name: string, { durationMs, binding }: RollOut): string =>
    `${name}: done on ${day(fromMs + durationMs)}, after ${duration(durationMs)}; ${binding} is the slowest.`;
  return [words('By the limits', rollOut), ...(ask ? [words('With the override', ask.rollOut)] : [])];
}

/** With an override the other line may leave the frame: what is planned must be seen. */
function certifiedDrawing(plan: Plan): Drawing {
  const { fleet, fromMs, rollOut, ask } = plan;
  const planned = ask ? Math.max(ask.withinMs, ask.rollOut.durationMs) * 1.15 : rollOut.durationMs * 1.05;
  const toMs = fromMs + Math.max(planned, 60_000);
  const curve = (one: RollOut): readonly Point[] =>
    Array.from({ length: POINTS + 1 }, (_, step) => {
      const elapsedMs = ((toMs - fromMs) * step) / POINTS;
      return { atMs: fromMs + elapsedMs, value: certifiedBy(one, fleet, elapsedMs) };
    });
  const lines: readonly Line[] = [
    { kind: 'standing', name: 'by the limits', points: curve(rollOut) },
    ...(ask ? [{ kind: 'asked', name: 'with the override', points: curve(ask.rollOut) } as const] : []),
  ];
  return { about: 'Certified appliances over time', fromMs, toMs, lines };
}

function steadyDrawing({ fromMs, steadyStates }: Plan): Drawing {
  const toMs = (steadyStates.at(-1)?.fromMs ?? fromMs) + AFTERWARDS_MS;
  const points = steadyStates.flatMap((state, index) => {
    const value = state.renewalsPerDay;
    return [
      { atMs: state.fromMs, value },
      { atMs: steadyStates[index + 1]?.fromMs ?? toMs, value },
    ];
  });
  return {
    about: 'Renewals a day by date',
    fromMs,
    toMs,
    lines: [{ kind: 'standing', name: 'renewals a day', points }],
  };
}

function steadyTable({ steadyStates }: Plan): string {
  const rows = steadyStates.map((state) => {
    const { renewalsPerDay, ordersPerSecond, peak } = state;
    const cells = [
      period(state.lifetimeMs),
      count(renewalsPerDay),
      measure(ordersPerSecond),
      measure(peak.ordersPerSecond),
    ];
    return `<tr><th scope="row">${day(state.fromMs)}</th>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
  });
  const head = ['from', 'lifetime', 'renewals a day', 'orders/s', 'orders/s at the peak'];
  return `<table>
<thead><tr>${head.map((cell) => `<th scope="col">${cell}</th>`).join('')}</tr></thead>
<tbody>${rows.join('\n')}</tbody>
</table>`;
}

const STYLES = `
:root { color-scheme: light dark; --text: #1b2430; --page: #ffffff; --grid: #d9dfe6; --standing: #2563eb; --asked: #c2570c; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6eaf0; --page: #12161c; --grid: #2d3641; --standing: #60a5fa; --asked: #fb923c; } }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 840px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.15rem; margin: 28px 0 0; } p { margin: 4px 0 8px; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--text); }
svg path { fill: none; stroke-width: 2; } svg .grid { stroke: var(--grid); stroke-width: 1; }
.standing { stroke: var(--standing); } .asked { stroke: var(--asked); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; font-weight: 400; padding: 4px 20px 4px 0; border-bottom: 1px solid var(--grid); }
thead th { font-size: .85rem; }
`;
