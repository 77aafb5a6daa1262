/** The glossary's words are used, and what it forbids is not. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const glossary = readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8');
const [words = '', forbidden = ''] = glossary.split('Not said');
const terms = [...words.matchAll(/\*\*([^*]+)\*\*/g)].map(([, term = '']) => term);
const synonyms = [...forbidden.matchAll(/^\| `([^`]+)`/gm)].map(([, word = '']) => word);

const sources = ['sdk/src', 'broker/src', 'simulator/src'].flatMap((folder) => filesOf(folder, '.ts'));
const pages = [...filesOf('docs', '.md'), 'README.md'].filter((path) => !path.endsWith('glossary.md'));

/** Where somebody else's protocol has its own word. */
const THEIRS: Readonly<Record<string, ReadonlySet<string>>> = {
  subdomain: new Set([
    'broker/src/acme-dns/acme-dns-api.ts',
    'broker/src/acme-dns/acme-dns-api.test.ts',
    'broker/src/cli/acme-dns.ts',
    'broker/src/cli/acme-dns.test.ts',
    'docs/guides/certify-other-machines.md',
  ]),
};

test('every word of the glossary is used in code or documents', () => {
  const text = [...sources, ...pages].map(read).join('\n').toLowerCase();
  expect(terms.length).toBeGreaterThan(25);
  expect(terms.filter((term) => !spellings(term).some((spelling) => text.includes(spelling)))).toEqual([]);
});

test('no code and no document says what the glossary forbids', () => {
  expect(synonyms.length).toBeGreaterThan(5);
  const found = [...sources, ...pages].flatMap((path) => {
    const parts = new Set(wordsOf(read(path)));
    const isTheirs = (word: string): boolean => THEIRS[word]?.has(path) ?? false;
    return synonyms.filter((word) => parts.has(word) && !isTheirs(word)).map((word) => `${path}: ${word}`);
  });
  expect(found).toEqual([]);
});

test('a forbidden word is found inside an identifier and at the start of a sentence', () => {
  expect(wordsOf('Backend of myKeystore, HEARTBEAT_MS')).toEqual([
    'backend',
    'of',
    'my',
    'keystore',
    'heartbeat',
    'ms',
  ]);
});

/** As it is, and as code writes it. */
function spellings(term: string): readonly string[] {
  const lower = term.toLowerCase();
  return [lower, lower.replaceAll(' ', ''), lower.replaceAll(' ', '-')];
}

/** The words of a text in lower case, those inside identifiers apart. */
function wordsOf(text: string): readonly string[] {
  const apart = text.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return apart.match(/[a-z]+/g) ?? [];
}

function filesOf(folder: string, extension: string): readonly string[] {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return entries.filter((entry) => entry.endsWith(extension)).map((entry) => `${folder}/${entry}`);
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
