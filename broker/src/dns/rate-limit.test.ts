/** The response rate limit by itself, on a clock that the test moves. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateLimiter, type RateLimitSettings, type Verdict } from './rate-limit.ts';

const ZONE = 'devices.example.com';
const SETTINGS: RateLimitSettings = { perSecond: 10, errorsPerSecond: 4, slip: 2, exempt: [] };

class Bench {
  nowMs = 0;
  readonly limiter: RateLimiter;

  constructor(settings: Partial<RateLimitSettings> = {}, more: { seed?: number; buckets?: number } = {}) {
    const clock = { monotonicMs: () => this.nowMs };
    this.limiter = new RateLimiter({ settings: { ...SETTINGS, ...settings }, clock, seed: 1, ...more });
  }

  judge(address = '192.0.2.1', isPositive = true, apex = ZONE): Verdict {
    return this.limiter.judge(address, apex, isPositive);
  }

  /** How many of `count` questions at once are answered. */
  answered(count: number, address?: string, isPositive?: boolean, apex?: string): number {
    return Array.from({ length: count }, () => this.judge(address, isPositive, apex)).filter(isAnswer).length;
  }
}

function isAnswer(verdict: Verdict): boolean {
  return verdict === 'answer';
}

describe('the rate', () => {
  test('a second’s worth may come at once, then one each time a token comes back', () => {
    const bench = new Bench();
    expect(bench.answered(50)).toBe(10);
    for (let step = 1; step <= 20; step++) {
      bench.nowMs += 100;
      expect(bench.answered(3)).toBe(1);
    }
    bench.nowMs += 350;
    expect(bench.answered(50)).toBe(3);
    bench.nowMs += 86_400_000;
    expect(bench.answered(50)).toBe(10);
  });

  test('negative answers and errors have a rate of their own', () => {
    const bench = new Bench();
    expect(bench.answered(50, '192.0.2.1', false)).toBe(4);
    expect(bench.answered(50, '192.0.2.1', true)).toBe(10);
  });

  test('so has every zone, and what is in no zone', () => {
    const bench = new Bench();
    for (const apex of [ZONE, 'other.example.com', '']) expect(bench.answered(50, '192.0.2.1', false, apex)).toBe(4);
  });

  test('in no second does a network get more than three times its rate, however it asks', () => {
    const anyGaps = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(anyGaps, fc.integer({ min: 1, max: 40 }), (gaps, perSecond) => {
        const bench = new Bench({ perSecond });
        const answeredMs: number[] = [];
        for (const gapMs of gaps) {
          bench.nowMs += gapMs;
          if (bench.judge() === 'answer') answeredMs.push(bench.nowMs);
        }
        for (const start of answeredMs) {
          const inSecond = answeredMs.filter((at) => at >= start && at < start + 1000).length;
          expect(inSecond).toBeLessThanOrEqual(3 * perSecond);
        }
        // What it saved up before, and what came back since.
        expect(answeredMs.length).toBeLessThanOrEqual((bench.nowMs / 1000 + 2) * perSecond);
      }),
    );
  });

  test('who keeps below it is never held back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 300 }), (extras) => {
        const bench = new Bench();
        for (const extraMs of extras) {
          bench.nowMs += 100 + extraMs;
          expect(bench.judge()).toBe('answer');
        }
      }),
    );
  });
});

describe('one network', () => {
  test.each([
    ['192.0.2.1', '192.0.2.254', true],
    ['192.0.2.1', '192.0.3.1', false],
    ['192.0.2.1', '193.0.2.1', false],
    ['2001:db8:1:2::1', '2001:db8:1:2ff:ffff::', false],
    ['2001:db8:1:200::1', '2001:db8:1:2ff:ffff::', true],
    ['2001:db8::1', '2001:db8:0:ff::', true],
    ['2001:db8::1', '2001:db8:1::1', false],
    ['192.0.2.1', 'c000:200::1', false],
  ])('%s and %s: %s', (one, other, isOne) => {
    const bench = new Bench();
    expect(bench.answered(50, one)).toBe(10);
    expect(bench.answered(50, other)).toBe(isOne ? 0 : 10);
  });

  test('neighbours hardly ever share a bucket, and which do depends on the seed', () => {
    const networks = Array.from({ length: 2000 }, (_, index) => `10.${index >> 8}.${index & 255}.1`);
    const sharing = (seed: number) => {
      const bench = new Bench({ perSecond: 1 }, { seed });
      return networks.filter((address) => bench.judge(address) !== 'answer');
    };
    // 2000 balls into 100 000 bins: 20 are expected to find their bin taken.
    expect(sharing(1).length).toBeLessThan(60);
    expect(sharing(1)).not.toEqual(sharing(2));
  });

  test('with one bucket for all, all share it', () => {
    const bench = new Bench({}, { buckets: 1 });
    expect(bench.answered(10, '192.0.2.1')).toBe(10);
    expect(bench.answered(10, '198.51.100.1')).toBe(0);
  });
});

describe('slip', () => {
  test.each([
    [0, ['drop', 'drop', 'drop', 'drop', 'drop', 'drop']],
    [1, ['slip', 'slip', 'slip', 'slip', 'slip', 'slip']],
    [2, ['drop', 'slip', 'drop', 'slip', 'drop', 'slip']],
    [3, ['drop', 'drop', 'slip', 'drop', 'drop', 'slip']],
  ])('%i', (slip, verdicts) => {
    const bench = new Bench({ slip });
    bench.answered(10);
    expect(verdicts.map(() => bench.judge())).toEqual(verdicts);
  });

  test('each network has its turn', () => {
    const bench = new Bench();
    const networks = ['192.0.2.1', '198.51.100.1'];
    for (const address of networks) bench.answered(10, address);
    expect(networks.map((address) => bench.judge(address))).toEqual(['drop', 'drop']);
    expect(networks.map((address) => bench.judge(address))).toEqual(['slip', 'slip']);
  });
});

describe('exempt', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.0/24', '192.0.2.7', true],
    ['192.0.2.0/24', '192.0.3.7', false],
    ['2001:db8::/32', '2001:db8:5::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::/36', '2001:db8:0fff::1', true],
    ['2001:db8::/36', '2001:db8:1000::1', false],
    ['192.0.2.128/25', '192.0.2.127', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '192.0.2.1', false],
  ])('%s: %s %s', (entry, address, isExempt) => {
    expect(new Bench({ exempt: [entry] }).answered(50, address)).toBe(isExempt ? 50 : 10);
  });

  test('who is exempt takes nothing from its neighbours', () => {
    const bench = new Bench({ exempt: ['192.0.2.7'] });
    bench.answered(50, '192.0.2.7');
    expect(bench.answered(50, '192.0.2.8')).toBe(10);
  });

  test.each(['ns.example.com', '192.0.2.0/33', '192.0.2.0/x', '192.0.2.0/24/1', '2001:db8::/129', ''])(
    '"%s" is refused',
    (entry) => {
      expect(() => new Bench({ exempt: [entry] })).toThrow(expect.objectContaining({ code: 'config-invalid' }));
    },
  );
});
