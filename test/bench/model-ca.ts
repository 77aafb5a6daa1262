/** The process of `model-ca-process.ts`: the model CA without limits, waits and refused nonces, until standard input ends. */
import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { silentLogger, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { startModelAuthority } from '@lanyard/simulator';

const [rootsPath = '', host = '', port = ''] = process.argv.slice(2);
const policy = { nonceRejectPercent: 0, asyncFinalizeMs: 0, validationDelayMs: 0 };
const resolver = { host, port: Number(port) };
const ca = await startModelAuthority({
  clock: systemClock,
  random: systemRandom,
  log: silentLogger,
  policy,
  resolver,
});
await writeFile(rootsPath, ca.tlsRootPem);
process.stdout.write(`${ca.directoryUrl}\n`);
process.stdin.resume().on('end', () => void ca.stop());
