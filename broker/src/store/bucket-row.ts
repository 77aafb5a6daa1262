/** Rows of buckets, read back into what the domain knows. */
import { z } from 'zod';
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Bucket, BucketLevel } from '../certificates/budget/bucket.ts';
import { LIMIT_NAMES } from '../certificates/budget/rate-limit.ts';

const LIMIT = z.enum([...LIMIT_NAMES, 'pause']);

export const BUCKET: z.ZodType<Bucket> = z.object({
  authority: z.string(),
  limit: LIMIT,
  subject: z.string(),
});

/** @throws LanyardError `store-failed` when the row does not hold a bucket. */
export function levelFrom(row: unknown): BucketLevel {
  try {
    const { authority, bucket_limit: limit, subject, full_at_ms: fullAtMs } = LEVEL_ROW.parse(row);
    return { bucket: { authority, limit, subject }, fullAtMs };
  } catch (cause) {
    throw new LanyardError('store-failed', { message: 'a stored bucket is unreadable', cause });
  }
}

const LEVEL_ROW = z.object({
  authority: z.string(),
  bucket_limit: LIMIT,
  subject: z.string(),
  full_at_ms: z.number(),
});
