/** For tests: an authority with a hostile CA, its own transport and an account store that forgets nothing. */
import { silentLogger } from '@lanyard/sdk/kernel';
import type { Clock, Runnable } from '@lanyard/sdk/kernel';
import type { AccountRecord, AccountStore } from './account.ts';
import { AcmeAuthority } from './acme-authority.ts';
import type { AcmeAuthorityOptions } from './acme-authority.ts';
import { HostileCa } from './hostile-ca.ts';
import type { Fault, Mischief } from './hostile-ca.ts';
import { AcmeTransport } from './transport.ts';

/** Keeps what was written, in order: what a crash at any moment would have left. */
export class MemoryAccountStore implements AccountStore {
  readonly writes: AccountRecord[] = [];

  read(): Promise<AccountRecord | undefined> {
    return Promise.resolve(this.writes.at(-1));
  }

  write(record: AccountRecord): Promise<void> {
    this.writes.push(record);
    return Promise.resolve();
  }
}

export class AuthorityRig implements Runnable {
  readonly ca = new HostileCa();
  readonly account = new MemoryAccountStore();
  readonly transport: AcmeTransport;
  readonly #clock: Clock;
  readonly #authorities: AcmeAuthority[] = [];

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
    this.transport = new AcmeTransport({ clock });
  }

  async start(): Promise<void> {
    await this.ca.start();
    await this.transport.start();
  }

  async stop(): Promise<void> {
    for (const authority of this.#authorities) await authority.stop();
    await this.transport.stop();
    await this.ca.stop();
  }

  build(options: Partial<AcmeAuthorityOptions> = {}): AcmeAuthority {
    const { account, transport } = this;
    const { directoryUrl } = this.ca;
    const given = { directoryUrl, account, transport, clock: this.#clock, log: silentLogger, ...options };
    const authority = new AcmeAuthority(given);
    this.#authorities.push(authority);
    return authority;
  }

  async started(options: Partial<AcmeAuthorityOptions> = {}): Promise<AcmeAuthority> {
    const authority = this.build(options);
    await authority.start();
    return authority;
  }
}

/** Does `fault` to requests whose path begins with `path`, the first `times` times. */
export function misbehaveAt(path: string, fault: Fault, times = Infinity): Mischief {
  let left = times;
  return (request) => (request.path.startsWith(path) && left-- > 0 ? fault : undefined);
}

/** Takes a rejection at once, for looking at it later; a success is nothing. */
export function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
