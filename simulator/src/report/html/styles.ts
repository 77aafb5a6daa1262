/** How a report looks: on a desk, on a phone and on paper, by day and by night. */

const LIGHT = `
  color-scheme: light;
  --page: #f6f7f9; --card: #ffffff; --text: #1b2430; --faint: #5b6675; --grid: #e3e7ec; --mark: #9aa4b2;
  --good: #15803d; --bad: #c62828; --main: #2563eb; --calm: #7b8794; --warm: #c2570c; --other: #7c3aed;
  --second: #0e7490; --third: #a16207; --good-page: #e7f5ec; --bad-page: #fdeaea;`;

const DARK = `
  color-scheme: dark;
  --page: #12161c; --card: #1b212a; --text: #e6eaf0; --faint: #9aa5b4; --grid: #2d3641; --mark: #64707f;
  --good: #4ade80; --bad: #f87171; --main: #60a5fa; --calm: #93a0b0; --warm: #fb923c; --other: #c084fc;
  --second: #22d3ee; --third: #facc15; --good-page: #15301f; --bad-page: #3a1a1c;`;

export const STYLES = `
:root {${LIGHT} }
@media (prefers-color-scheme: dark) { :root {${DARK} } }
:root.printing {${LIGHT} }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 0 0 2px; }
p { margin: 4px 0; }
.faint { color: var(--faint); font-size: .9rem; }
code, pre { font: .88em/1.5 ui-monospace, monospace; }
pre, .replay { background: var(--page); border: 1px solid var(--grid); border-radius: 6px; padding: 8px 10px;
  margin: 8px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--grid); border-radius: 10px; padding: 16px; margin: 16px 0 0; }
.verdict { border-left: 6px solid; }
.verdict.good { border-left-color: var(--good); background: var(--good-page); }
.verdict.bad { border-left-color: var(--bad); background: var(--bad-page); }
.verdict h2 { font-size: 1.3rem; }
.good > h2, .met { color: var(--good); }
.bad > h2, .unmet { color: var(--bad); }
.met, .unmet { font-weight: 600; white-space: nowrap; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 16px 0 0; padding: 0; }
.figures div { background: var(--card); border: 1px solid var(--grid); border-radius: 10px; padding: 10px 14px; }
.figures dt { color: var(--faint); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 0 16px; align-items: start; }
.pair > .card { min-width: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin-top: 8px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--grid); vertical-align: top; }
th { color: var(--faint); font-weight: 500; font-size: .85rem; }
th[scope=row] { color: inherit; font-size: inherit; font-weight: 400; min-width: 8em; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
.bar { width: 40%; min-width: 110px; padding-right: 0; }
.bar svg { display: block; width: 100%; height: 14px; margin-top: 5px; }
.bar .back { fill: var(--grid); } .bar .part { fill: var(--main); } .bar .tail { fill: var(--main); opacity: .45; }
.bar .rest { fill: var(--main); opacity: .2; }
details { margin-top: 8px; } summary { cursor: pointer; overflow-wrap: anywhere; }
.chart { margin-top: 8px; min-height: 180px; }
.uplot, .uplot .u-legend { font-family: inherit; }
.u-legend { font-size: .85rem; text-align: left; margin: 4px 0 0; }
.u-legend th, .u-legend td { border: 0; padding: 2px 4px; color: inherit; font-size: inherit; }
footer { margin-top: 24px; }
@media print {
  body { background: none; } main { max-width: none; padding: 0; }
  .card, .figures div { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
  body, .verdict { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
@media (max-width: 520px) { body { font-size: 15px; } .card { padding: 12px; } main { padding: 12px 10px 32px; } }
`;
