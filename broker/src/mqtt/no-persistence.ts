/** What the MQTT engine keeps between connections: nothing. No retained messages, no sessions, no queues, no wills. */
import { Readable } from 'node:stream';

/**
 * The engine's own store grows without bound, searches retained messages one by one and leaks refused subscriptions
 * into persistent sessions. Here `hello` and `state` replace all of it, and what is not kept cannot leak.
 * The engine demands that `setup` be an async function and that all others return promises or streams.
 */
export class NoPersistence {
  async setup(): Promise<void> {}
  async storeRetained(): Promise<void> {}
  async addSubscriptions(): Promise<void> {}
  async removeSubscriptions(): Promise<void> {}
  async cleanSubscriptions(): Promise<void> {}
  async outgoingEnqueue(): Promise<void> {}
  async outgoingEnqueueCombi(): Promise<void> {}
  async outgoingUpdate(): Promise<void> {}
  async outgoingClearMessageId(): Promise<void> {}
  async incomingStorePacket(): Promise<void> {}
  async incomingDelPacket(): Promise<void> {}
  async cleanIncoming(): Promise<void> {}
  async putWill(): Promise<void> {}
  async delWill(): Promise<void> {}
  async getWill(): Promise<void> {}
  async destroy(): Promise<void> {}

  async subscriptionsByClient(): Promise<readonly never[]> {
    return [];
  }

  async subscriptionsByTopic(): Promise<readonly never[]> {
    return [];
  }

  async incomingGetPacket(): Promise<never> {
    throw new Error('nothing is kept');
  }

  outgoingStream(): Readable {
    return Readable.from([]);
  }

  createRetainedStream(): Readable {
    return Readable.from([]);
  }

  createRetainedStreamCombi(): Readable {
    return Readable.from([]);
  }

  streamWill(): Readable {
    return Readable.from([]);
  }
}
