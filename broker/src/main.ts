#!/usr/bin/env node
/** The process "lanyard": which Node it runs on, and its exit code. */
import process from 'node:process';
import { LanyardError, describeError, systemClock, systemRandom } from '@lanyard/sdk/kernel';
import { checkNodeVersion } from './node-version.ts';
import { VERSION } from './version.ts';

try {
  checkNodeVersion(process.versions.node);
  // Only now: on an older Node the rest may not even load. And what one command does not need it need not load.
  const { runCommand } = await import('./cli/command.ts');
  process.exitCode = await runCommand(process.argv.slice(2), {
    version: VERSION,
    clock: systemClock,
    random: systemRandom,
    print: (text) => process.stdout.write(text),
    printError: (text) => process.stderr.write(text),
    input: () => process.stdin,
    serve: async (configPath) => (await import('./serve.ts')).serve(configPath),
    createPrivateCa: async (name) => {
      const { createPrivateCa } = await import('./pki/private-ca.ts');
      return createPrivateCa(name, { clock: systemClock, random: systemRandom });
    },
    withAccountDesk: async (which, use) => {
      const { withAccountDesk } = await import('./accounts.ts');
      await withAccountDesk({ ...which, clock: systemClock }, use);
    },
    examine: async (what) => {
      const { examineInstallation } = await import('./examination.ts');
      return await examineInstallation({ ...what, clock: systemClock, random: systemRandom });
    },
  });
} catch (error) {
  const code = LanyardError.is(error) ? error.code : 'internal';
  process.stderr.write(`lanyard: ${describeError(error)} [${code}]\n`);
  process.exitCode = 1;
}
