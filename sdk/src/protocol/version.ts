/** The version of the wire protocol, in every topic and every body. */
export const PROTOCOL_VERSION = 1;
