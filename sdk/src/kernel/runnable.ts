/** Anything with a life: constructors do nothing, `start` begins, `stop` ends. */
export interface Runnable {
  start(): Promise<void>;
  /** Ends in bounded time; harmless when not started. */
  stop(): Promise<void>;
}

/**
 * Several lives as one: started part after part, stopped the other way; when one fails to start, those before it are
 * stopped. A part that fails to stop keeps none of the others from it.
 */
export function inOrder(parts: readonly Runnable[]): Runnable {
  const started: Runnable[] = [];
  const stop = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (let part = started.pop(); part !== undefined; part = started.pop()) {
      await part.stop().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  };
  const start = async (): Promise<void> => {
    try {
      for (const part of parts) {
        started.push(part);
        await part.start();
      }
    } catch (error) {
      // What went wrong first is what counts.
      await stop().catch(() => {});
      throw error;
    }
  };
  return { start, stop };
}
