/** A log file of JSON lines, followed while somebody else writes it. */
import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';

export type LogLine = Readonly<Record<string, unknown>>;

export class LogFile {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Every whole line so far. Lines that are no JSON, such as Node's warnings, are passed over. */
  async lines(): Promise<readonly LogLine[]> {
    const text = await readFile(this.#path, 'utf8');
    return text.split('\n').slice(0, -1).flatMap(parseLine);
  }

  /**
   * Resolves as soon as `enough` holds for the lines so far.
   * @throws the signal's reason when it aborts before.
   */
  async until(enough: (lines: readonly LogLine[]) => boolean, signal: AbortSignal): Promise<readonly LogLine[]> {
    // Watched before it is read for the first time, so that no line falls between.
    const changes = watch(this.#path, { signal });
    let wake = nobodyWaits;
    changes.on('change', () => wake());
    changes.on('error', () => undefined);
    signal.addEventListener('abort', () => wake());
    try {
      for (;;) {
        const next = new Promise<void>((resolve) => (wake = resolve));
        const lines = await this.lines();
        if (enough(lines)) return lines;
        signal.throwIfAborted();
        await next;
      }
    } finally {
      changes.close();
    }
  }
}

function nobodyWaits(): void {}

function parseLine(line: string): readonly LogLine[] {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? [{ ...value }] : [];
  } catch {
    return [];
  }
}
