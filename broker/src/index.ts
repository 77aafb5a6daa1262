/** Entry "@lanyard/broker": the broker as a part of another program, and a client of its admin API. */
export { createBroker } from './broker.ts';
export type { Broker, BrokerEndpoints, BrokerOptions } from './broker.ts';
export { loadConfig, parseConfig } from './config.ts';
export type { BrokerConfig, BrokerConfigInput } from './config.ts';
export { adminClient } from './cli/admin-client.ts';
export type { AdminClient } from './cli/admin-client.ts';
export { LanyardError } from '@lanyard/sdk/kernel';
export type { Clock, ErrorCode, Logger, Random } from '@lanyard/sdk/kernel';
