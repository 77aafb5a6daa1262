/** What a request says, or why it cannot be followed. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { z } from 'zod';

/** @throws LanyardError `admin-request-invalid`, which names each wrong field. */
export function readRequest<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const complaints = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the body'}: ${issue.message}`);
  throw new LanyardError('admin-request-invalid', { message: complaints.join('; ') });
}
