/** HTML made of templates in which every text is escaped, unless it is markup itself. */
import { createHash } from 'node:crypto';

/** What may stand in a page as it is. Only this file makes it. */
export class Markup {
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  toString(): string {
    return this.#source;
  }
}

type Piece = Markup | string | number | readonly Piece[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Lists are joined; strings and numbers are escaped, also between quotes of attributes. */
export function html(fixed: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(fixed.map((text, index) => (index === 0 ? text : render(pieces[index - 1]) + text)).join(''));
}

/** What a page holds of other languages, which have escapes of their own; and its hash, by which a policy allows it. */
export interface Inline {
  readonly element: Markup;
  /** As Content Security Policies write it. */
  readonly hash: string;
}

/** A script ends at the first `</script`, wherever it stands, and `<!--` begins what hides that end (HTML §4.12.1.3). */
export function inlineScript(source: string): Inline {
  const safe = source.replaceAll(/<\/(script)/gi, String.raw`<\/$1`).replaceAll('<!--', String.raw`\x3c!--`);
  return { element: new Markup(`<script>${safe}</script>`), hash: hashOf(safe) };
}

export function inlineStyles(source: string): Inline {
  return { element: new Markup(`<style>${source}</style>`), hash: hashOf(source) };
}

/** Data for a script; without `<` it can neither end nor begin anything. */
export function inlineData(id: string, data: unknown): Markup {
  const safe = JSON.stringify(data).replaceAll('<', String.raw`\u003c`);
  return html`${new Markup(`<script type="application/json" id="`)}${id}${new Markup(`">${safe}</script>`)}`;
}

function hashOf(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}

function render(piece: Piece | undefined): string {
  if (piece === undefined) return '';
  if (piece instanceof Markup) return piece.toString();
  if (typeof piece === 'string') return piece.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
  if (typeof piece === 'number') return String(piece);
  return piece.map(render).join('');
}
