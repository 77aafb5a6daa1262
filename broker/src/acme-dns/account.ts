/** An account of the acme-dns API: one machine's right to change the texts of one name. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '@lanyard/sdk/kernel';

export interface AcmeDnsAccount {
  /** The label of its name, below the apex of all accounts. */
  readonly label: string;
  readonly username: string;
  /** SHA-256 of the password, in hex. Nobody guesses 240 random bits, so that a slow hash would protect nothing. */
  readonly passwordHash: string;
  /** From where it may update, as CIDR blocks; empty: from anywhere. */
  readonly allowFrom: readonly string[];
  readonly createdAtMs: number;
  readonly lastUpdateAtMs?: number;
  /** What its name says, the newest first. */
  readonly texts: readonly string[];
}

/** acme-dns makes them of 40 characters, and clients may check it. */
const PASSWORD_BYTES = 30;
/** No text has this digest. */
const HASH_OF_NOBODY = '00'.repeat(32);

/** A name and its wildcard are proved by two texts of the same name. acme-dns keeps as many. */
const MOST_TEXTS = 2;

/** The password is in no other place. */
export function makeAccount(
  random: Random,
  { allowFrom, createdAtMs }: Pick<AcmeDnsAccount, 'allowFrom' | 'createdAtMs'>,
): { readonly account: AcmeDnsAccount; readonly password: string } {
  const password = Buffer.from(random.bytes(PASSWORD_BYTES)).toString('base64url');
  const names = { label: randomUuid(random), username: randomUuid(random) };
  const account = { ...names, passwordHash: hashOf(password).toString('hex'), allowFrom, createdAtMs, texts: [] };
  return { account, password };
}

/** Whether it is the account's password. An account that is not there has none, and takes as long to say so. */
export function isPassword(given: string, account: AcmeDnsAccount | undefined): boolean {
  const right = Buffer.from(account?.passwordHash ?? HASH_OF_NOBODY, 'hex');
  const hash = hashOf(given);
  return hash.length === right.length && timingSafeEqual(hash, right);
}

/** A repeated text takes no other one's place: a client repeats what it got no answer to. */
export function withNewest(texts: readonly string[], newest: string): readonly string[] {
  return [newest, ...texts.filter((text) => text !== newest)].slice(0, MOST_TEXTS);
}

function hashOf(password: string): Buffer {
  return createHash('sha256').update(password).digest();
}

/** Version 4 (RFC 9562 §5.4), as acme-dns has them and clients expect them. */
function randomUuid(random: Random): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
