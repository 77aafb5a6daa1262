/** Lines over dates as SVG: all that a plan draws, and no more. */
import { count, day, isoDate } from './figures.ts';

export interface Line {
  /** Also its class in the style sheet. */
  readonly kind: 'standing' | 'asked';
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export interface Drawing {
  /** What is seen, for those who do not see it. */
  readonly about: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly lines: readonly Line[];
}

const WIDTH = 760;
const HEIGHT = 280;
const LEFT = 84;
const RIGHT = 40;
const TOP = 34;
const BOTTOM = 28;
const TICKS = 4;
const DAY_MS = 86_400_000;

/** Points outside the dates are cut off at the frame. */
export function svgLines(drawing: Drawing): string {
  const most = ceilingOf(Math.max(1, ...drawing.lines.flatMap(({ points }) => points.map(({ value }) => value))));
  const paths = drawing.lines.map((line) => pathOf(line, drawing, most));
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(drawing.about)}">`,
    ...gridOf(drawing, most),
    ...paths,
    ...drawing.lines.map(({ kind, name }, index) => {
      const x = LEFT + index * 320;
      return `<g class="${kind}"><path d="M${x} 14h24"/></g><text x="${x + 32}" y="18">${escaped(name)}</text>`;
    }),
    '</svg>',
  ].join('\n');
}

/** For text and for quoted attributes. */
export function escaped(text: string): string {
  const escapes: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '');
}

function gridOf({ fromMs, toMs }: Drawing, most: number): readonly string[] {
  const steps = Array.from({ length: TICKS + 1 }, (_, step) => step / TICKS);
  const bottom = HEIGHT - BOTTOM;
  return steps.flatMap((step) => {
    const y = yOf(most * step, most);
    const x = LEFT + step * (WIDTH - LEFT - RIGHT);
    return [
      `<path class="grid" d="M${LEFT} ${y}H${WIDTH - RIGHT}"/>`,
      `<text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${count(most * step)}</text>`,
      `<text x="${round(x)}" y="${bottom + 20}" text-anchor="middle">${tickOf(fromMs + step * (toMs - fromMs), toMs - fromMs)}</text>`,
    ];
  });
}

/** Days, or hours where all would be the same day. */
function tickOf(atMs: number, spanMs: number): string {
  return spanMs < TICKS * DAY_MS ? (isoDate(atMs)?.slice(5, 16).replace('T', ' ') ?? day(atMs)) : day(atMs);
}

function pathOf({ kind, points }: Line, { fromMs, toMs }: Drawing, most: number): string {
  const inside = points.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  const spots = inside.map(({ atMs, value }) => {
    const x = LEFT + ((atMs - fromMs) / (toMs - fromMs)) * (WIDTH - LEFT - RIGHT);
    return `${round(x)} ${yOf(value, most)}`;
  });
  return `<g class="${kind}"><path d="M${spots.join('L')}"/></g>`;
}

function yOf(value: number, most: number): number {
  return round(HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - TOP));
}

/** A round number, so that a quarter of it is round as well. */
function ceilingOf(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].find((one) => one * power >= value) ?? 10;
  return Math.max(TICKS, factor * power);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
