/** `lanyard doctor`: what is wrong with an installation, as the world outside sees it, and how to mend it. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { Command } from 'commander';
import { z } from 'zod';
import type { CommandContext, Finding } from './context.ts';

const options = z.object({
  resolver: z.array(z.string().regex(/^[0-9a-fA-F.:[\]]{2,64}$/, 'must be an address, such as 1.1.1.1')).default([]),
  json: z.boolean().default(false),
});

export function addDoctor(program: Command, configPath: () => string, context: CommandContext): void {
  program
    .command('doctor')
    .description('look at the installation from outside in: what is wrong, why it matters, how to mend it')
    .option('--resolver <address...>', 'resolvers to ask, such as 1.1.1.1 (default: the system’s)')
    .option('--json', 'as JSON')
    .action((given: unknown) => doctor(configPath(), given, context));
}

/** @throws LanyardError `examination-failed` when there is an error among the findings. */
async function doctor(configPath: string, given: unknown, context: CommandContext): Promise<void> {
  const read = options.safeParse(given);
  if (!read.success) {
    const message = `--resolver ${read.error.issues[0]?.message ?? ''}`;
    throw new LanyardError('option-invalid', { message });
  }
  const { resolver: resolvers, json } = read.data;
  const findings = (await context.examine({ configPath, resolvers })).toSorted(byRank);
  context.print(json ? `${JSON.stringify({ findings }, undefined, 2)}\n` : textOf(findings));
  const errors = countOf(findings, 'error');
  if (errors > 0)
    throw new LanyardError('examination-failed', { message: `${errors} of ${findings.length} findings are errors` });
}

const RANK = { error: 0, warning: 1, skipped: 2, ok: 3 } as const;

function byRank(one: Finding, other: Finding): number {
  return RANK[one.severity] - RANK[other.severity];
}

function textOf(findings: readonly Finding[]): string {
  const severities = ['error', 'warning', 'skipped', 'ok'] as const;
  const counts = severities.map((severity) => `${countOf(findings, severity)} ${severity}`);
  return [...findings.flatMap(linesOf), counts.join(', '), ''].join('\n');
}

/** What is wrong stands in the line; why that matters and how to mend it below. */
function linesOf(finding: Finding): readonly string[] {
  const head = `${finding.severity.padEnd(8)} ${finding.check.padEnd(20)}`;
  if (!('why' in finding)) return [`${head} ${finding.what}`];
  const indent = ' '.repeat(head.length);
  return [`${head} ${finding.what}`, `${indent} ${finding.why}`, `${indent} ${finding.mend}`];
}

function countOf(findings: readonly Finding[], severity: Finding['severity']): number {
  return findings.filter((finding) => finding.severity === severity).length;
}
