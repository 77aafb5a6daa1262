/** Which appliance is on which connection right now: one each, the newest. */
import type { Client } from 'aedes';
import type { GuardedConnection } from './guarded-connection.ts';

export interface Session {
  readonly deviceId: string;
  readonly client: Client;
  readonly connection: GuardedConnection;
  /** The appliance has been told that it is connected. */
  isReady: boolean;
  /** What it hears. */
  readonly topics: Set<string>;
  /** Messages that its socket has not taken yet. */
  undelivered: number;
}

export class Sessions {
  readonly #byDevice = new Map<string, Session>();
  readonly #byConnection = new WeakMap<object, Session>();
  readonly #onGone: (deviceId: string) => void;

  constructor(onGone: (deviceId: string) => void) {
    this.#onGone = onGone;
  }

  /**
   * Makes this connection the appliance's own and ends the one before (MQTT 3.1.1 § 3.1.4-2).
   * The engine keeps such a list too, but loses the new connection when the old one ends at the same moment.
   */
  begin(deviceId: string, client: Client, connection: GuardedConnection): Session {
    const session: Session = { deviceId, client, connection, isReady: false, topics: new Set(), undelivered: 0 };
    const former = this.#byDevice.get(deviceId);
    this.#byDevice.set(deviceId, session);
    this.#byConnection.set(connection, session);
    connection.once('close', () => this.#end(session));
    former?.connection.destroy();
    return session;
  }

  /** That of a connection, even when another has taken its place. */
  of(client: Client): Session | undefined {
    return this.#byConnection.get(client.conn);
  }

  find(deviceId: string): Session | undefined {
    return this.#byDevice.get(deviceId);
  }

  all(): readonly Session[] {
    return [...this.#byDevice.values()];
  }

  readyCount(): number {
    let count = 0;
    for (const session of this.#byDevice.values()) if (session.isReady) count += 1;
    return count;
  }

  #end(session: Session): void {
    session.isReady = false;
    if (this.#byDevice.get(session.deviceId) !== session) return;
    this.#byDevice.delete(session.deviceId);
    this.#onGone(session.deviceId);
  }
}
