/** The formats that accounts come and go in, and how to tell which one a directory has. */
import { join } from 'node:path';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { AccountFormat } from './account-format.ts';
import { certbot } from './certbot.ts';
import { dehydrated } from './dehydrated.ts';
import { isAbsent } from './read-file.ts';

export type FormatName = 'certbot' | 'dehydrated';

export const FORMATS: Readonly<Record<FormatName, AccountFormat>> = { certbot, dehydrated };

/** @throws LanyardError `account-unusable` when there is none of the files that tell it. */
export async function formatOf(directory: string): Promise<AccountFormat> {
  for (const format of Object.values(FORMATS)) {
    if (!(await isAbsent(join(directory, format.keyFile)))) return format;
  }
  const files = Object.entries(FORMATS).map(([name, { keyFile }]) => `${keyFile} (${name})`);
  const message = `${directory} holds no account: there is neither ${files.join(' nor ')} in it`;
  throw new LanyardError('account-unusable', { message });
}
