/** What a client sees when the CA cannot be reached, or when the line breaks before the answer is there. */

/** Not a `LanyardError`: it stands for what the network does to a client. */
export class ConnectionCut extends Error {
  /** Whether the CA did what it was asked to; a real client cannot know. */
  readonly wasProcessed: boolean;

  constructor(wasProcessed: boolean) {
    super(wasProcessed ? 'socket hang up' : 'connect ECONNREFUSED');
    this.name = 'ConnectionCut';
    this.wasProcessed = wasProcessed;
  }
}
