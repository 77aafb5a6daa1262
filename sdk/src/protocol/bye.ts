/** `bye`: the appliance leaves on purpose. Advisory: silence is read the same way, only later. */
import { id } from './fields.ts';
import { object, oneOf, parseWith } from './shape.ts';
import type { Parsed } from './shape.ts';

export interface Bye {
  readonly id: string;
  /** Of the hello whose session ends: a late bye of an earlier session is ignored. */
  readonly bootId: string;
  readonly reason: 'shutdown' | 'reboot' | 'checked-in';
}

const shape = object({ id, bootId: id, reason: oneOf(['shutdown', 'reboot', 'checked-in']) });

export function parseBye(value: unknown): Parsed<Bye> {
  return parseWith(shape, value);
}
