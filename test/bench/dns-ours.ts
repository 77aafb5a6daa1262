/** Our name server as the broker runs it, in a process that issues certificates when it is told to. */
import process from 'node:process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { oursContender } from './contender-ours.ts';

const task = z.object({
  directoryUrl: z.string(),
  rootsPath: z.string(),
  directory: z.string(),
  count: z.int().min(1),
  concurrency: z.int().min(1),
  perSecond: z.number(),
});

const contender = await oursContender(process.argv[2] ?? '.');
say(contender.nameServer);
for await (const line of createInterface({ input: process.stdin })) {
  const given = task.parse(JSON.parse(line));
  await contender.prepare(given);
  say('prepared');
  let certificates = 0;
  const startMs = performance.now();
  await contender.race(() => {
    certificates += 1;
  });
  say({ certificates, seconds: (performance.now() - startMs) / 1000 });
}
await contender.stop();

function say(what: unknown): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
