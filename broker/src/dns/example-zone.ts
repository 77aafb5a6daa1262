/** A small zone for the tests of this folder. Not part of the product. */
import { ServedZone, type ZoneSnapshot } from './served-zone.ts';
import type { ZoneRecord } from './zone-journal.ts';
import { defaultSoa } from './zone-settings.ts';

export const EXAMPLE_APEX = 'devices.example.com';

export const exampleSnapshot: ZoneSnapshot = {
  apex: EXAMPLE_APEX,
  serial: 7,
  soa: defaultSoa('ns1.devices.example.com', 'hostmaster.example.com'),
  nameServers: [
    { name: 'ns1.devices.example.com', addresses: ['192.0.2.1', '2001:db8::1'] },
    { name: 'ns2.devices.example.com', addresses: ['198.51.100.1'] },
    { name: 'ns.elsewhere.example', addresses: [] },
  ],
  records: [
    { owner: 'alpha.devices.example.com', type: 'A', data: '10.1.1.4' },
    { owner: 'alpha.devices.example.com', type: 'AAAA', data: 'fd00::4' },
    { owner: '_acme-challenge.alpha.devices.example.com', type: 'TXT', data: 'first' },
    { owner: '_acme-challenge.alpha.devices.example.com', type: 'TXT', data: 'second' },
    { owner: '_acme-challenge.empty.devices.example.com', type: 'TXT', data: 'third' },
    { owner: EXAMPLE_APEX, type: 'CAA', data: '0 issue "ca.example; validationmethods=dns-01"' },
    { owner: EXAMPLE_APEX, type: 'CAA', data: '0 issuewild ";"' },
  ],
};

export function exampleZone(changes: Partial<ZoneSnapshot> = {}): ServedZone {
  return new ServedZone({ ...exampleSnapshot, ...changes }, refuseMisfit);
}

function refuseMisfit(record: ZoneRecord): never {
  throw new Error(`${record.owner} ${record.type} ${record.data} does not fit the example zone`);
}
