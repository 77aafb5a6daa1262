/** Asks a name server with dig or kdig, and reads what they print. */
import { peer } from './peers.ts';
import { runToEnd } from './run-to-end.ts';

export interface DigAnswer {
  /** `NOERROR`, `NXDOMAIN`, …; undefined when nobody answered. */
  readonly status: string | undefined;
  /** Lower case: `qr`, `aa`, `tc`, `rd`, `ra`. */
  readonly flags: readonly string[];
  /** The records of each section, as printed with single blanks. */
  readonly question: readonly string[];
  readonly answer: readonly string[];
  readonly authority: readonly string[];
  readonly additional: readonly string[];
  /** The EDNS line, where there is one. */
  readonly edns: string | undefined;
  readonly text: string;
}

export type DigTool = 'dig' | 'kdig';

/** @param question as on the command line: name, type, class and `+options`. */
export async function dig(
  tool: DigTool,
  { host, port }: { readonly host: string; readonly port: number },
  ...question: readonly string[]
): Promise<DigAnswer> {
  const { stdout, stderr } = await runToEnd(peer(tool), [`@${host}`, '-p', String(port), ...question]);
  return readDig(`${stdout}${stderr}`);
}

function readDig(text: string): DigAnswer {
  const lines = text.split('\n').map((line) => line.trim());
  return {
    status: /status: (\w+)/.exec(text)?.[1],
    flags: (/flags: ([\w ]*);/i.exec(text)?.[1] ?? '').toLowerCase().split(' ').filter(Boolean),
    question: sectionOf(lines, 'QUESTION').map((line) => line.replace(/^;+\s*/, '')),
    answer: sectionOf(lines, 'ANSWER'),
    authority: sectionOf(lines, 'AUTHORITY'),
    additional: sectionOf(lines, 'ADDITIONAL'),
    edns: lines.find((line) => /^;+ ?(EDNS:|Version: \d+; flags)/.test(line)),
    text,
  };
}

/** Both print a section's records below its title, up to an empty line. */
function sectionOf(lines: readonly string[], name: string): readonly string[] {
  const start = lines.findIndex((line) => line.startsWith(`;; ${name} SECTION`));
  if (start < 0) return [];
  const end = lines.indexOf('', start);
  return lines.slice(start + 1, end < 0 ? undefined : end).map((line) => line.replaceAll(/\s+/g, ' '));
}
