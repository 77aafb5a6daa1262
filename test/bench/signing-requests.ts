/** Names with signing requests for keys of their own, made before anything is measured: in life, appliances make them. */
import { makeKeyPair } from '../../sdk/src/identity/key-pair.ts';
import { makeSigningRequest } from '../../sdk/src/identity/signing-request.ts';
import { ZONE } from './dns-board.ts';

export interface Request {
  readonly name: string;
  readonly der: Uint8Array;
}

export async function makeRequests(count: number, prefix: string): Promise<readonly Request[]> {
  const requests: Request[] = [];
  for (let index = 0; index < count; index++) {
    const name = `${prefix}-${String(index).padStart(6, '0')}.${ZONE}`;
    requests.push({ name, der: await makeSigningRequest({ ...(await makeKeyPair()), names: [name] }) });
  }
  return requests;
}
