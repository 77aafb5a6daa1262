/** `lanyard plan`: what a CA's limits make of a roll-out. Pure reckoning; no broker need run. */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { LanyardError } from '@lanyard/sdk/kernel';
import { z } from 'zod';
import { PRESET_NAMES, termsOf } from '../certificates/budget/presets.ts';
import type { LimitOverrides, PresetName } from '../certificates/budget/presets.ts';
import { PROFILES } from '../plan/lifetimes.ts';
import { planOf } from '../plan/plan.ts';
import type { Intention } from '../plan/plan.ts';
import { planChart } from '../plan/plan-chart.ts';
import { planJson } from '../plan/plan-json.ts';
import { planText } from '../plan/plan-text.ts';
import type { CommandContext } from './context.ts';
import { readOverrides } from './limit-overrides.ts';
import { optionOf } from './option-name.ts';

/** More than any vendor has; dates beyond the year 9999 are none. */
const MOST_APPLIANCES = 10_000_000;
const MOST_ZONES = 10_000;

const DAY_MS = 86_400_000;

const day = z.iso.date('must be a date such as 2027-06-01').transform((text) => Date.parse(text));

const options = z.object({
  appliances: z.coerce.number('must be a number').int().min(1).max(MOST_APPLIANCES),
  zones: z.coerce.number('must be a number').int().min(1).max(MOST_ZONES),
  ca: z.enum(PRESET_NAMES, `must be one of ${PRESET_NAMES.join(', ')}`),
  override: z.string().optional(),
  profile: z.enum(PROFILES, `must be one of ${PROFILES.join(', ')}`),
  publicSuffix: z.boolean().optional(),
  by: day.optional(),
  from: day.optional(),
  json: z.boolean().optional(),
  chart: z.string().optional(),
});

/** @throws LanyardError `config-invalid` | `config-unreadable`. */
export async function plan(given: unknown, context: CommandContext): Promise<void> {
  const parsed = options.safeParse(given);
  if (!parsed.success) {
    refuse(parsed.error.issues.map((issue) => `${optionOf(issue.path)}: ${issue.message}`).join('\n'));
  }
  const { json, chart } = parsed.data;
  const made = planOf(intentionOf(parsed.data, context.clock.nowMs()));
  if (chart !== undefined) {
    const page = planChart(made, { sha256: (text) => createHash('sha256').update(text).digest('base64') });
    await writeFile(chart, page).catch((cause: unknown) => {
      throw new LanyardError('config-unreadable', { cause, message: `${chart} cannot be written` });
    });
  }
  context.print(json === true ? planJson(made) : planText(made));
}

function intentionOf(given: z.infer<typeof options>, nowMs: number): Intention {
  const { appliances, zones, ca, profile, publicSuffix = false, by } = given;
  if (zones > appliances) refuse('--zones: more than there are appliances');
  const fromMs = given.from ?? nowMs - (nowMs % DAY_MS);
  if (by !== undefined && by <= fromMs) refuse('--by: must be after --from, which is today when it is left out');
  return {
    fleet: { appliances, zones, isPublicSuffix: publicSuffix },
    ca,
    terms: termsFrom(ca, readOverrides(given.override)),
    profile,
    fromMs,
    ...(by !== undefined && { byMs: by }),
  };
}

function termsFrom(ca: PresetName, overrides: LimitOverrides): Intention['terms'] {
  const { limits, renewals, requests } = termsOf({ preset: ca, id: ca, overrides });
  // A plan without limits would promise what nobody has promised.
  if (ca === 'custom' && Object.keys(limits).length === 0) {
    refuse('--override: needed with --ca custom, for instance new-orders=300/3h,registered-domain=50/7d');
  }
  return { limits, renewals, ...(requests && { requests }) };
}

function refuse(message: string): never {
  throw new LanyardError('config-invalid', { message });
}
