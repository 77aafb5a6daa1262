/** Tells on the terminal what happens, one line at a time; standard output stays free for the result. */
import { styleText } from 'node:util';
import type { Clock } from '@lanyard/sdk/kernel';

export interface Storyteller {
  /** A new chapter. */
  chapter(title: string): void;
  /** Something that happened. */
  tell(text: string): void;
  /** How far something is: rewrites its own line on a terminal, says only the end elsewhere. */
  progress(what: string, done: number, of: number): void;
  /** Lines as they are, such as a table. */
  show(lines: readonly string[]): void;
}

export interface StorytellerParts {
  readonly stream: NodeJS.WriteStream;
  readonly clock: Clock;
}

const BAR_WIDTH = 24;

export function storyteller({ stream, clock }: StorytellerParts): Storyteller {
  const startMs = clock.monotonicMs();
  const style = (kind: Parameters<typeof styleText>[0], text: string): string => styleText(kind, text, { stream });
  const stamp = (): string => style('dim', `${((clock.monotonicMs() - startMs) / 1000).toFixed(1).padStart(5)}s`);
  return {
    chapter: (title) => stream.write(`\n${style('bold', title)}\n`),
    tell: (text) => stream.write(`${stamp()}  ${text}\n`),
    progress(what, done, of) {
      if (!stream.isTTY && done < of) return;
      const filled = of === 0 ? BAR_WIDTH : Math.round((done / of) * BAR_WIDTH);
      const bar = style('green', '━'.repeat(filled)) + style('dim', '─'.repeat(BAR_WIDTH - filled));
      const line = `${stamp()}  ${bar} ${done}/${of} ${what}`;
      stream.write(stream.isTTY ? `\r\u001b[K${line}${done >= of ? '\n' : ''}` : `${line}\n`);
    },
    show: (lines) => stream.write(`${lines.join('\n')}\n`),
  };
}
