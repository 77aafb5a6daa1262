/**
 * What the broker and its DNS thread say to each other. Both ends are always of one build, so these are types
 * rather than something to parse.
 */
import type { DefenceSettings } from './defence.ts';
import type { ListenAddress } from './server.ts';
import type { ZoneChange, ZoneOutline } from './served-zone.ts';
import type { TransferPolicy } from './transfer-policy.ts';

export type ThreadRequest = ThreadCommand & {
  /** Comes back with the reply. */
  readonly id: number;
};

export type ThreadCommand =
  | {
      readonly kind: 'listen';
      readonly listeners: readonly ListenAddress[];
      /** Absent: nobody may transfer a zone. */
      readonly transfers?: TransferPolicy;
      /** Absent: answers are not limited, and cookies are passed over. */
      readonly defence?: DefenceSettings;
    }
  /** Begins zones that are not served yet, and forgets those begun before. */
  | { readonly kind: 'prepare'; readonly zones: readonly ZoneOutline[] }
  /** Adds a page of records to a zone begun. */
  | { readonly kind: 'fill'; readonly apex: string; readonly page: string }
  /** Replaces all zones by those begun, in one step. */
  | { readonly kind: 'serve' }
  | { readonly kind: 'change'; readonly change: ZoneChange }
  | { readonly kind: 'stop' };

export type ThreadReply =
  | { readonly kind: 'listening'; readonly id: number; readonly addresses: readonly ListenAddress[] }
  /** What was begun or filled; no query sees it yet. */
  | { readonly kind: 'prepared'; readonly id: number }
  /** Every query from now on sees these serials. */
  | { readonly kind: 'serving'; readonly id: number; readonly zones: readonly ServedSerial[] }
  | { readonly kind: 'stopped'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly code: ThreadFailure; readonly message: string }
  | { readonly kind: 'log'; readonly level: ThreadLogLevel; readonly fields: object; readonly message: string };

export interface ServedSerial {
  readonly apex: string;
  readonly serial: number;
}

export type ThreadFailure = 'listener-failed' | 'dns-record-refused' | 'dns-serving-failed';

export type ThreadLogLevel = 'debug' | 'info' | 'warn' | 'error';
