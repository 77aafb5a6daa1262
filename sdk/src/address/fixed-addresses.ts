/** Addresses that somebody else knows: firmware that manages its own network, or a test. */
import { isIP } from 'node:net';
import { LanyardError } from '../kernel/errors.ts';
import type { ReportedAddress } from '../protocol/hello.ts';
import type { AddressSource } from './address-source.ts';

export interface FixedAddresses extends AddressSource {
  /**
   * Tells the listener at once, unless nothing changed.
   * @throws LanyardError `option-invalid`, and the addresses stay.
   */
  change(addresses: readonly ReportedAddress[]): void;
}

/** @throws LanyardError `option-invalid`. */
export function fixedAddresses(addresses: readonly ReportedAddress[]): FixedAddresses {
  check(addresses);
  let given = [...addresses];
  let isRunning = false;
  let listener: (() => void) | undefined;
  return {
    current: () => given,
    onChange: (next) => (listener = next),
    start: async () => void (isRunning = true),
    stop: async () => void (isRunning = false),
    change(next) {
      check(next);
      if (JSON.stringify(next) === JSON.stringify(given)) return;
      given = [...next];
      if (isRunning) listener?.();
    },
  };
}

function check(addresses: unknown): void {
  if (Array.isArray(addresses) && addresses.every(isReported)) return;
  const form = "a list such as [{ address: '10.1.1.4', interface: 'eth0', isDefaultRoute: true }]";
  throw new LanyardError('option-invalid', {
    message: `option addresses must be ${form}`,
    details: { option: 'addresses' },
  });
}

function isReported(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { address, interface: name, isDefaultRoute }: Partial<Record<keyof ReportedAddress, unknown>> = value;
  return (
    typeof address === 'string' &&
    isIP(address) !== 0 &&
    typeof name === 'string' &&
    typeof isDefaultRoute === 'boolean'
  );
}
