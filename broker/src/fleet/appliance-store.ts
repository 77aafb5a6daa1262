/** Port: where appliances, their names and their addresses survive. Every method is one atomic, durable transaction. */
import type { Appliance, LastHello } from './appliance.ts';

/** @throws LanyardError `store-failed` when nothing was changed and the call may be repeated. */
export interface ApplianceStore {
  /**
   * Adds an appliance with its label. Idempotent for the same id and identity key.
   * `label-taken`: another appliance has or had the label (labels are never released); try another one.
   */
  enrol(appliance: NewAppliance): Promise<Enrolment>;
  find(deviceId: string): Promise<Appliance | undefined>;
  /** In order of their ids, those after `after`. */
  list(page: { readonly after?: string; readonly limit: number }): Promise<readonly Appliance[]>;
  count(): Promise<number>;
  /** Notes a hello and makes `published` the current addresses; the former ones go to the history. */
  recordHello(deviceId: string, hello: LastHello, published: readonly string[]): Promise<void>;
  setStatus(deviceId: string, status: Appliance['status'], nowMs: number): Promise<boolean>;
  /** Which addresses were published when, the newest first. */
  addressHistory(deviceId: string, limit: number): Promise<readonly AddressPeriod[]>;
}

export type NewAppliance = Omit<Appliance, 'published' | 'lastHello'>;

export type Enrolment =
  | { readonly kind: 'enrolled'; readonly appliance: Appliance }
  | { readonly kind: 'known'; readonly appliance: Appliance }
  /** The id is enrolled with another identity key. */
  | { readonly kind: 'other-key' }
  | { readonly kind: 'label-taken' };

export interface AddressPeriod {
  readonly address: string;
  readonly fromMs: number;
  /** Absent while it is published. */
  readonly untilMs?: number;
}
