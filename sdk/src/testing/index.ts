/** Entry "@lanyard/sdk/testing": doubles for firmware authors' tests and for the simulator. */
export { VirtualClock } from './virtual-clock.ts';
export { seededRandom } from './seeded-random.ts';
export { memoryVault } from './memory-vault.ts';
export type { MemoryVault } from './memory-vault.ts';
export { MemoryLink } from './memory-link.ts';
export type { MemoryLinkParts } from './memory-link.ts';
