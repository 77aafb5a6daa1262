/** Entry "@lanyard/simulator": the pretend world as a part of other tests, and its model CA. */
export { openTown, openVendor } from './simulator.ts';
export type { TownPlan, VendorPlan } from './simulator.ts';
export type { Town, TownAuthority, Vendor } from './scenarios/town.ts';
export { VirtualAppliance } from './fleet/virtual-appliance.ts';
export { startModelAuthority } from './world/authority/start-model-authority.ts';
export type { ModelAuthorityStart, RunningModelAuthority } from './world/authority/start-model-authority.ts';
