/** Asks another name server one question over UDP. */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '@lanyard/sdk/kernel';
import { HEADER_BYTES } from './wire.ts';

export interface ServerAddress {
  /** An IP literal. */
  readonly address: string;
  readonly port: number;
}

/** The first message that fits, or undefined: none came within the time, or the network said that none will. */
export type Ask = (
  server: ServerAddress,
  question: Buffer,
  fits: (answer: Buffer) => boolean,
  timeoutMs: number,
) => Promise<Buffer | undefined>;

/** A socket for each question: its port is half of what a forger would have to guess. */
export function datagrams(clock: Clock): Ask {
  return (server, question, fits, timeoutMs) =>
    new Promise((resolve) => {
      const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4');
      const end = (answer: Buffer | undefined): void => {
        timer.cancel();
        socket.removeAllListeners();
        // Closing a socket with a send under way may still report an error, which is nobody's any more.
        socket.on('error', () => {});
        socket.close();
        resolve(answer);
      };
      const timer = clock.setTimer(timeoutMs, () => end(undefined));
      socket.on('error', () => end(undefined));
      socket.on('message', (message) => {
        if (message.length >= HEADER_BYTES && isAnswerTo(question, message) && fits(message)) end(message);
      });
      // Connected, so that the kernel drops what comes from elsewhere, and tells of a port that is closed.
      socket.connect(server.port, server.address, () => {
        socket.send(question, (error) => {
          if (error !== null) end(undefined);
        });
      });
    });
}

/** The same id and operation, with the bit that makes it an answer. */
function isAnswerTo(question: Buffer, message: Buffer): boolean {
  const isResponse = (message.readUInt8(2) & 0x80) !== 0;
  const hasOpcode = (message.readUInt8(2) & 0x78) === (question.readUInt8(2) & 0x78);
  return isResponse && hasOpcode && message.readUInt16BE(0) === question.readUInt16BE(0);
}
