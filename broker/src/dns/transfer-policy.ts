/** Who may have the whole zone: it is an inventory of the fleet. */
import type { TsigKey } from '../tsig/tsig-key.ts';
import { addressRecord } from './record-data.ts';

export interface TransferPolicy {
  /** Every key that a question may be signed with. */
  readonly keys: readonly TsigKey[];
  readonly secondaries: readonly AllowedSecondary[];
  /** So many changes of a zone are remembered; a secondary that is further behind gets the whole zone. */
  readonly rememberedChanges: number;
}

export interface AllowedSecondary {
  readonly address: string;
  readonly keyName: string;
}

/** The key alone would do for a thief of backups, the address alone for a neighbour: both are asked for. */
export function mayTransfer({ secondaries }: TransferPolicy, address: string, key: TsigKey): boolean {
  const canonical = addressRecord(address)?.data;
  return secondaries.some(
    (secondary) => secondary.keyName === key.name && addressRecord(secondary.address)?.data === canonical,
  );
}
