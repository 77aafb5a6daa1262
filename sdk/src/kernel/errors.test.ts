import { describe, expect, test } from 'vitest';
import { ERRORS, LanyardError, describeError } from './errors.ts';

describe('an error', () => {
  test('says what its code means when nobody says more', () => {
    const error = new LanyardError('store-failed');
    expect(error).toMatchObject({
      name: 'LanyardError',
      code: 'store-failed',
      message: ERRORS['store-failed'],
      details: {},
    });
    expect(error).not.toHaveProperty('cause');
  });

  test('carries its message, its cause, when to try again and details', () => {
    const cause = new Error('disk full');
    const error = new LanyardError('store-failed', { message: 'no', cause, retryAfterMs: 5, details: { order: 'o' } });
    expect(error).toMatchObject({ message: 'no', cause, retryAfterMs: 5, details: { order: 'o' } });
  });

  test('keeps everything when it is said when it is tried again', () => {
    const cause = new Error('disk full');
    const error = new LanyardError('store-failed', { message: 'no', cause, details: { order: 'o' } });
    expect(error.retriedAfter(7)).toMatchObject({
      code: 'store-failed',
      message: 'no',
      cause,
      retryAfterMs: 7,
      details: { order: 'o' },
    });
    expect(new LanyardError('stopped').retriedAfter(7)).not.toHaveProperty('cause');
  });

  test('is known by its code, and nothing else is', () => {
    const error: unknown = new LanyardError('stopped');
    expect(LanyardError.is(error)).toBe(true);
    expect(LanyardError.is(error, 'stopped')).toBe(true);
    expect(LanyardError.is(error, 'internal')).toBe(false);
    for (const other of [new Error('stopped'), { code: 'stopped' }, 'stopped', undefined]) {
      expect(LanyardError.is(other)).toBe(false);
    }
  });
});

test('every code says what it means, in a sentence', () => {
  for (const [code, meaning] of Object.entries(ERRORS)) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(meaning).toMatch(/^[A-Z`].*[.?]$/);
  }
});

describe('what is printed of an error', () => {
  test('is its message and those of its causes', () => {
    const cause = new Error('write failed', { cause: new Error('disk full') });
    expect(describeError(new LanyardError('store-failed', { message: 'no', cause }))).toBe(
      'no: write failed: disk full',
    );
    expect(describeError(new Error('no', { cause: 'text' }))).toBe('no');
  });

  test('says once what an error quotes of its cause', () => {
    const refused = new Error('connect ECONNREFUSED');
    const wrapped = new LanyardError('broker-unreachable', { message: refused.message, cause: refused });
    const named = new Error(`mqtts://a: ${wrapped.message}`, { cause: wrapped });
    expect(describeError(named)).toBe('mqtts://a: connect ECONNREFUSED');
  });

  test('is something of everything that can be thrown', () => {
    expect(describeError('text')).toBe('text');
    expect(describeError(undefined)).toBe('undefined');
    expect(describeError(new TypeError())).toBe('TypeError');
    expect(describeError(new AggregateError([new Error('refused by ::1'), new Error('b')]))).toBe('refused by ::1');
  });

  test('ends, although an error is its own cause', () => {
    const errors = [new Error('chicken'), new Error('egg')] as const;
    errors[0].cause = errors[1];
    errors[1].cause = errors[0];
    expect(describeError(errors[0]).split(': ')).toHaveLength(9);
  });
});
