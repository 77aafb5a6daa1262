#!/usr/bin/env node
/** The command "lanyard-simulator": the build where there is one, else the sources of this checkout, which Node runs as they are. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const built = new URL('../dist/main.js', import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else if (Number.parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    `lanyard-simulator: Node 24.15 or later is needed, this is ${process.versions.node} [node-too-old]\n`,
  );
  process.exitCode = 1;
} else {
  const source = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const args = ['--conditions=lanyard-source', source, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code) => process.exit(code ?? 1));
}
