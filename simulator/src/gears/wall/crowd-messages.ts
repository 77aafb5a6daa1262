/** What the run and its crowd processes say to each other; checked on arrival, because a process is a border. */
import { z } from 'zod';

const number = z.int().min(0);

const slice = z.strictObject({ first: number, count: z.int().min(0) });

/** Which appliances to make, and for whom. */
export const buildCommand = z.strictObject({
  kind: z.literal('build'),
  crowd: z.strictObject({ appliances: z.int().min(1), sites: z.int().min(1), sdk: number }),
  slice,
  seed: z.int(),
  /** Where the flash memories of those with the SDK are. */
  directory: z.string(),
  door: z.strictObject({ host: z.string(), port: z.int() }),
  takesProxyHeader: z.boolean(),
  admin: z.strictObject({ origin: z.string(), token: z.string() }),
  trustedRoots: z.array(z.string()),
});

/** Those of the numbers that live here; the others are somebody else's. */
const whom = { numbers: z.array(number) };

const commands = z.discriminatedUnion('kind', [
  buildCommand,
  /** Everybody, for the first time, one after the other. */
  z.strictObject({ kind: z.literal('arrive'), shape: z.enum(['at-once', 'even', 'ramp']), overMs: z.number() }),
  z.strictObject({ kind: z.literal('power-on'), ...whom, why: z.string() }),
  z.strictObject({ kind: z.literal('power-cut'), ...whom, why: z.string() }),
  z.strictObject({ kind: z.literal('reboot'), ...whom }),
  z.strictObject({ kind: z.literal('factory-reset'), ...whom }),
  z.strictObject({ kind: z.literal('move'), ...whom }),
  /** Of whole sites. */
  z.strictObject({ kind: z.literal('partition'), ...whom, isCut: z.boolean() }),
  z.strictObject({ kind: z.literal('status') }),
  z.strictObject({ kind: z.literal('end') }),
]);

export const toWorker = z.strictObject({ id: number, command: commands });

const standing = z.strictObject({ on: number, connected: number, certified: number, waiting: number });

const at = { atMs: z.number(), appliance: number };

/** Those of world/happening.ts that a crowd can see. */
const happening = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('powered'), ...at, isOn: z.boolean(), why: z.string() }),
  z.strictObject({ kind: z.literal('connected'), ...at }),
  z.strictObject({ kind: z.literal('disconnected'), ...at, why: z.string() }),
  z.strictObject({ kind: z.literal('said'), ...at, what: z.enum(['hello', 'csr', 'installed', 'bye', 'revocation']) }),
  z.strictObject({
    kind: z.literal('told'),
    ...at,
    what: z.enum(['state', 'certificate', 'problem', 'revocation']),
    about: z.string(),
  }),
  z.strictObject({ kind: z.literal('problem'), ...at, code: z.string() }),
  z.strictObject({
    kind: z.literal('installed'),
    ...at,
    notAfterMs: z.number(),
    isFirst: z.boolean(),
    waitedMs: z.number(),
    marginMs: z.number().exactOptional(),
  }),
  z.strictObject({ kind: z.literal('moved'), ...at }),
  z.strictObject({ kind: z.literal('published'), ...at, waitedMs: z.number() }),
]);

export const fromWorker = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('done'), id: number, standing }),
  z.strictObject({ kind: z.literal('failed'), id: number, message: z.string() }),
  z.strictObject({ kind: z.literal('made'), count: number }),
  z.strictObject({ kind: z.literal('happened'), happenings: z.array(happening) }),
]);

export type BuildCommand = z.infer<typeof buildCommand>;
export type CrowdCommand = z.infer<typeof commands>;
export type CrowdReport = z.infer<typeof fromWorker>;
/** How many of a process's appliances are how; `waiting` are those whose last command is not done. */
export type CrowdStanding = z.infer<typeof standing>;
