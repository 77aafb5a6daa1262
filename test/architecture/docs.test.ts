/** What the documents point at is there, and what they show compiles. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { runCommand } from '../../broker/src/cli/command.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const inDocs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
const pages = [
  'README.md',
  'CHANGELOG.md',
  'sdk/README.md',
  'broker/README.md',
  'simulator/README.md',
  ...inDocs.filter((path) => path.endsWith('.md')).map((path) => `docs/${path}`),
];

describe('links', () => {
  test.each(pages)('%s leads somewhere', (page) => {
    const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !/^(https?|mailto):/.test(link) && !isThere(page, link))).toEqual([]);
  });

  test.each(pages)('%s names only files that exist', (page) => {
    const text = read(page);
    const paths = [...text.matchAll(/`((?:sdk|broker|simulator|test|docs)\/[\w./-]+)`/g)].map(([, path = '']) => path);
    // What the build makes is not there in a clone.
    const missing = paths.filter((path) => !path.includes('/dist/') && !existsSync(join(ROOT, path)));
    expect(missing).toEqual([]);
  });

  test('every page is reached from README.md', () => {
    const reached = new Set<string>();
    const follow = (page: string): void => {
      if (reached.has(page) || !page.endsWith('.md') || !existsSync(join(ROOT, page))) return;
      reached.add(page);
      for (const [, link = ''] of read(page).matchAll(/\]\(([^)#\s]+)/g)) {
        if (!link.includes(':')) follow(join(dirname(page), link));
      }
    };
    follow('README.md');
    const aside = ['CHANGELOG.md', 'broker/README.md', 'simulator/README.md', 'docs/benchmarks.md'];
    expect(pages.filter((page) => !reached.has(page) && !aside.includes(page))).toEqual([]);
  });
});

test('TypeScript in the documents compiles', { timeout: 120_000 }, () => {
  const snippets = new Map<string, string>();
  for (const page of pages) {
    for (const [index, block] of blocksOf(page, 'ts').entries()) {
      snippets.set(join(ROOT, `${page.replaceAll('/', '-')}-${index + 1}.ts`), `${block}\nexport {};\n`);
    }
  }
  expect(snippets.size).toBeGreaterThan(4);
  expect(complaints(snippets)).toEqual([]);
});

test('a snippet that does not compile is found', { timeout: 120_000 }, () => {
  const path = join(ROOT, 'wrong.ts');
  const wrong = `import { startAppliance } from '@lanyard/sdk';\nawait startAppliance({ vault: 7 });\nexport {};\n`;
  expect(complaints(new Map([[path, wrong]]))[0]).toContain('wrong.ts');
});

test('JSON in the documents is JSON', () => {
  for (const page of pages) for (const block of blocksOf(page, 'json')) expect(() => JSON.parse(block)).not.toThrow();
});

describe('commands', () => {
  const lines = pages.flatMap((page) => blocksOf(page, 'sh').flatMap((block) => block.split('\n')));
  const lanyard = lines.filter((line) => line.startsWith('lanyard '));
  const scripts = lines.flatMap((line) => [...line.matchAll(/npm run ([\w:]+)/g)].map(([, script = '']) => script));

  test.each(lanyard)('%s', async (line) => {
    const words = line.split(' ').slice(1);
    const command = words.slice(0, words[0] === 'device' || words[0] === 'account' ? 2 : 1);
    const help = await helpOf(command);
    expect(help).toContain(`Usage: lanyard ${command.join(' ')}`);
    const options = words.filter((word) => word.startsWith('--'));
    expect(options.filter((option) => !help.includes(`${option} `) && !help.includes(`${option}\n`))).toEqual([]);
  });

  test('every npm script that they run exists', () => {
    const manifest = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
    expect(scripts.length).toBeGreaterThan(2);
    expect(scripts.filter((script) => !(script in manifest.scripts))).toEqual([]);
  });
});

describe('decisions/dependencies.md', () => {
  const dependencies = z.record(z.string(), z.string()).default({});
  const manifest = z.object({ dependencies, devDependencies: dependencies });
  const page = read('docs/decisions/dependencies.md');

  test.each([
    ['sdk', 'sdk/package.json'],
    ['broker', 'broker/package.json'],
    ['simulator', 'simulator/package.json'],
    ['Development', 'package.json'],
  ])('lists those of %s, no more and no fewer', (heading, path) => {
    const section = page.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
    const listed = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    const { dependencies: own, devDependencies } = manifest.parse(JSON.parse(read(path)));
    expect(new Set(listed)).toEqual(new Set([...Object.keys(own), ...Object.keys(devDependencies)]));
    expect(listed.length).toBe(new Set(listed).size);
  });
});

async function helpOf(command: readonly string[]): Promise<string> {
  let said = '';
  const print = (text: string): void => {
    said += text;
  };
  await runCommand([...command, '--help'], {
    version: '0',
    clock: { nowMs: unused, monotonicMs: unused, setTimer: unused },
    random: { bytes: unused, uniform: unused },
    print,
    printError: print,
    input: unused,
    serve: unused,
    createPrivateCa: unused,
    withAccountDesk: unused,
    examine: unused,
  });
  return said;
}

function unused(): never {
  throw new Error('help needs nothing of this');
}

/** What the compiler says about `snippets`, which exist in memory only, with the settings of the whole project. */
function complaints(snippets: ReadonlyMap<string, string>): readonly string[] {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const [fileExists, readFile] = [host.fileExists.bind(host), host.readFile.bind(host)];
  host.fileExists = (path) => snippets.has(resolve(path)) || fileExists(path);
  host.readFile = (path) => snippets.get(resolve(path)) ?? readFile(path);
  const program = ts.createProgram([...snippets.keys()], options, host);
  // Of the snippets only: the sources have their own check.
  const found = [...snippets.keys()].flatMap((path) => {
    const file = program.getSourceFile(path);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
  });
  return found.map(
    ({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
  );
}

function blocksOf(page: string, language: string): readonly string[] {
  const blocks = read(page).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'));
  return [...blocks].map(([, block = '']) => block);
}

function isThere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(read(target)).includes(anchor);
}

/** As GitHub makes them: lower case, no punctuation, hyphens for blanks. */
function anchorsOf(text: string): readonly string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase());
  return headings.map((heading) => heading.replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[^]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
