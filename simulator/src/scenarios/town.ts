/** What a scenario plays with: a CA, a broker, appliances in their sites, and visitors. */
import type { AdminClient } from '@lanyard/broker';
import type { VirtualAppliance } from '../fleet/virtual-appliance.ts';
import type { BrokerProcess } from '../world/broker-process.ts';
import type { Endpoint } from '../world/lan.ts';
import type { Site } from '../world/site.ts';
import type { Visit } from '../world/visitor.ts';

/** A CA that was started for this world: the model CA, or another program. */
export interface TownAuthority {
  readonly directoryUrl: string;
  /** The root of its HTTPS server's certificate: what an ACME client has to trust. */
  readonly tlsRootPem: string;
  /** The root of what it issues: what a browser has to trust. */
  readonly rootPem: string;
  /** What it calls itself in CAA records. */
  readonly caaIdentity: string;
  stop(): Promise<void>;
}

/** The vendor's side alone: a CA and a running broker. */
export interface Vendor {
  readonly zone: string;
  readonly authority: TownAuthority;
  readonly broker: BrokerProcess;
  /** Where appliances connect. */
  readonly door: Endpoint;
  readonly admin: AdminClient;
  readonly nameServer: Endpoint;
  /** Where settings, keys and logs of this run are. */
  readonly directory: string;
  /** Ends everything and removes the directory. */
  close(): Promise<void>;
}

export interface Town extends Vendor {
  readonly sites: readonly Site[];
  readonly appliances: readonly VirtualAppliance[];
  /** Somebody in the appliance's LAN opens its page. */
  visit(appliance: VirtualAppliance): Promise<Visit>;
}
