/** Tells on the terminal how far a run is: a few lines redrawn, or plain lines where nobody watches. */
import { styleText } from 'node:util';
import type { Clock } from '@lanyard/sdk/kernel';
import { createLogUpdate } from 'log-update';
import { describeDuration } from './duration.ts';
import type { Snapshot } from './snapshot.ts';

export interface LiveViewParts {
  /** Standard error: standard output stays free for the result. */
  readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Of the real world, whatever the run's own clock is. */
  readonly clock: Clock;
  readonly snapshot: () => Snapshot;
  readonly title: string;
  readonly appliances: number;
  /** Of the run, in its own time; progress is that of certificates when nobody knows. */
  readonly lengthMs?: number;
}

/** More is not seen, and every drawing costs some hundred microseconds of the run. */
const DRAW_EVERY_MS = 250;
/** Without a terminal: for logs of CI, where silence looks like a hang. */
const SAY_EVERY_MS = 10_000;
const SAY_EVERY_SHARE = 0.1;
const BAR_WIDTH = 30;
const MOST_PROBLEMS = 4;

export class LiveView {
  readonly #parts: LiveViewParts;
  readonly #redraw: ReturnType<typeof createLogUpdate> | undefined;
  #startMs: number | undefined;
  #shownMs = -Infinity;
  #shownShare = 0;
  #before: { readonly atMs: number; readonly happenings: number; readonly simulatedMs: number } | undefined;

  constructor(parts: LiveViewParts) {
    this.#parts = parts;
    if (parts.stream.isTTY) this.#redraw = createLogUpdate(parts.stream);
  }

  /** To be called as often as convenient: it shows something only when it is time to. */
  tick(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#startMs ??= nowMs;
    if (this.#redraw) {
      if (nowMs - this.#shownMs < DRAW_EVERY_MS) return;
      this.#shownMs = nowMs;
      this.#redraw(this.#picture(this.#parts.snapshot(), nowMs).join('\n'));
    } else if (nowMs - this.#shownMs >= DRAW_EVERY_MS) this.#sayWhenDue(nowMs);
  }

  /** Shows how it ended, and gives the terminal back. */
  end(): void {
    const nowMs = this.#parts.clock.monotonicMs();
    this.#startMs ??= nowMs;
    const snapshot = this.#parts.snapshot();
    if (this.#redraw) {
      this.#redraw(this.#picture(snapshot, nowMs).join('\n'));
      this.#redraw.done();
    } else this.#say(snapshot, nowMs);
  }

  #sayWhenDue(nowMs: number): void {
    const isFirst = this.#shownMs === -Infinity;
    if (isFirst) {
      this.#shownMs = nowMs;
      return;
    }
    const snapshot = this.#parts.snapshot();
    const isFurther = this.#share(snapshot) >= this.#shownShare + SAY_EVERY_SHARE;
    if (isFurther || nowMs - this.#shownMs >= SAY_EVERY_MS) this.#say(snapshot, nowMs);
  }

  #say(snapshot: Snapshot, nowMs: number): void {
    const { stream, title, appliances } = this.#parts;
    const { heads, timeToCertificateMs, problems } = snapshot;
    const share = this.#share(snapshot);
    this.#shownMs = nowMs;
    // Down to the step: 19 % is followed by 20 %.
    this.#shownShare = Math.floor(share / SAY_EVERY_SHARE) * SAY_EVERY_SHARE;
    const parts = [
      `${title} ${percent(share)}`,
      `${describeDuration(snapshot.simulatedMs)} in ${this.#took(nowMs)}`,
      `${heads.certified}/${appliances} certified`,
      `${heads.connected} connected`,
      `time to certificate ${duration(timeToCertificateMs.p50)} (p99 ${duration(timeToCertificateMs.p99)})`,
      ...topOf(problems).slice(0, 1),
    ];
    stream.write(`${parts.join(', ')}\n`);
  }

  #picture(snapshot: Snapshot, nowMs: number): readonly string[] {
    const { stream, title, appliances } = this.#parts;
    const style = (kind: Parameters<typeof styleText>[0], text: string): string => styleText(kind, text, { stream });
    const { heads, timeToCertificateMs: waits, authority, problems, expiries } = snapshot;
    const share = this.#share(snapshot);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = style('green', '━'.repeat(filled)) + style('dim', '─'.repeat(BAR_WIDTH - filled));
    const row = (name: string, text: string): string => `  ${style('dim', name.padEnd(20))}${text}`;
    const expired = expiries.unexcused === 0 ? '' : style('red', `  ${expiries.unexcused} expired without excuse`);
    const worst = topOf(problems);
    return [
      `${style('bold', title)}  ${bar} ${percent(share)}  ${describeDuration(snapshot.simulatedMs)} in ${this.#took(nowMs)}`,
      row('certified', `${heads.certified}/${appliances}, ${heads.live} live, ${heads.connected} connected${expired}`),
      row(
        'time to certificate',
        (['p50', 'p95', 'p99'] as const).map((name) => `${name} ${duration(waits[name])}`).join('  '),
      ),
      row('the CA', `${authority['certified'] ?? 0} certificates, ${authority['limited'] ?? 0} refused by limits`),
      row('pace', this.#pace(snapshot, nowMs)),
      row('problems', worst.length === 0 ? 'none' : style('yellow', worst.join(', '))),
    ];
  }

  /** Since the picture before: what it does now is what one wants to see. */
  #pace({ happenings, simulatedMs }: Snapshot, nowMs: number): string {
    const { atMs, ...before } = this.#before ?? { atMs: this.#startMs ?? nowMs, happenings: 0, simulatedMs: 0 };
    this.#before = { atMs: nowMs, happenings, simulatedMs };
    const seconds = (nowMs - atMs) / 1_000;
    if (seconds <= 0) return '–';
    const perSecond = Math.round((happenings - before.happenings) / seconds);
    return `${perSecond} events/s, ${describeDuration((simulatedMs - before.simulatedMs) / seconds)} a second`;
  }

  #share({ simulatedMs, heads }: Snapshot): number {
    const { lengthMs, appliances } = this.#parts;
    const share = lengthMs === undefined ? heads.onceCertified / appliances : simulatedMs / lengthMs;
    return Number.isFinite(share) ? Math.min(1, share) : 0;
  }

  #took(nowMs: number): string {
    return `${((nowMs - (this.#startMs ?? nowMs)) / 1_000).toFixed(1)}s`;
  }
}

function topOf(problems: Snapshot['problems']): readonly string[] {
  return Object.entries(problems)
    .slice(0, MOST_PROBLEMS)
    .map(([code, count]) => `${code} ${count}`);
}

function percent(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

function duration(ms: number | undefined): string {
  return ms === undefined ? '–' : describeDuration(ms);
}
