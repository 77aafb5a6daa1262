/** Every limit of the embedded MQTT server, with its default and its reason. */

export interface MqttSettings {
  /** Address to listen on. */
  readonly host: string;
  /** 0 chooses a free one. */
  readonly port: number;
  /** Addresses or CIDR blocks of load balancers. They must send a PROXY protocol header; nobody else may. */
  readonly proxyPeers: readonly string[];
  /** How long a load balancer may take for its header. */
  readonly proxyHeaderTimeoutMs: number;
  /** How long a TLS handshake may take. */
  readonly handshakeTimeoutMs: number;
  /** How long CONNECT may take to arrive after the handshake, and the answer to it after that. */
  readonly connectTimeoutMs: number;
  /** Connections of the whole server that are not accepted yet. */
  readonly maxWaiting: number;
  /** The same of one source address (IPv6: of one /64). */
  readonly maxWaitingPerAddress: number;
  /** Longest keep-alive that an appliance may ask for; none at all (0) is refused. */
  readonly keepaliveLimitSeconds: number;
  /** How long an appliance may leave its socket full before it is disconnected. */
  readonly drainTimeoutMs: number;
  /** Messages on their way to one appliance that its socket has not taken yet. */
  readonly maxUndelivered: number;
  /** Messages of one appliance that wait while an earlier one is answered. */
  readonly maxQueued: number;
  /** Messages of all appliances that wait or are being answered. */
  readonly maxQueuedInAll: number;
  /** How long one message may take to answer. */
  readonly answerTimeoutMs: number;
  /** Forbidden publishes and subscriptions of one connection before it is closed. */
  readonly maxViolations: number;
  readonly publishRate: Rate;
  /** Of packets of any kind. */
  readonly packetRate: Rate;
  /** How long stopping may take. */
  readonly stopTimeoutMs: number;
}

/** A token bucket: `burst` at once, then `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export const DEFAULT_SETTINGS: MqttSettings = {
  host: '0.0.0.0',
  // IANA: secure-mqtt.
  port: 8883,
  proxyPeers: [],
  // A balancer sends it with the first segment; 5 s covers one lost segment and its retransmissions.
  proxyHeaderTimeoutMs: 5000,
  // Two round trips over a bad mobile line, with a retransmission each.
  handshakeTimeoutMs: 8000,
  connectTimeoutMs: 8000,
  // One core finishes about 500 handshakes a second: half a second of work at most, and 1 MiB of CONNECT packets.
  maxWaiting: 256,
  // Behind carrier-grade NAT thousands of appliances share an address, so it counts only until they are accepted.
  maxWaitingPerAddress: 64,
  // A half-open connection behind a NAT that forgot it costs 64 kB until the keep-alive runs out.
  keepaliveLimitSeconds: 1200,
  drainTimeoutMs: 10_000,
  // The answer to hello is two messages; 16 of them are 256 KiB at the very most.
  maxUndelivered: 16,
  maxQueued: 8,
  maxQueuedInAll: 10_000,
  answerTimeoutMs: 30_000,
  // Firmware with a wrong topic is told by silence, not by a reconnect loop; a scanner is thrown out.
  maxViolations: 8,
  // Hello, csr, installed and bye are four; 30 allow for a flapping interface, and one in 2 s is still a lot.
  publishRate: { burst: 30, perSecond: 0.5 },
  // Every down message costs an acknowledgement, every publish may come with a ping or a subscription.
  packetRate: { burst: 120, perSecond: 4 },
  stopTimeoutMs: 10_000,
};
