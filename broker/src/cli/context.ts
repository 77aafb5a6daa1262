/** What a command needs of the process that it runs in. */
import type { Clock, Random } from '@lanyard/sdk/kernel';

export interface CommandContext {
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  /** Runs the broker until the process is told to stop. */
  readonly serve: (configPath: string) => Promise<void>;
  /** Makes the private CA's certificate and key, both PEM. */
  readonly createPrivateCa: (name: string) => Promise<{ readonly certificatePem: string; readonly keyPem: string }>;
}
