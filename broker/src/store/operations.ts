/** The table of everything that can be asked of the database, by name: what crosses between the threads. */
import type { DatabaseSync } from 'node:sqlite';
import type { OrderStore } from '../certificates/order-store.ts';
import type { RefusedKeyStore } from '../certificates/refused-keys.ts';
import type { ForeignStore } from '../certificates/foreign/foreign-store.ts';
import type { ApplianceStore } from '../fleet/appliance-store.ts';
import { acmeDnsTable } from './acme-dns-table.ts';
import type { AcmeDnsAccountStore } from './acme-dns-table.ts';
import { applianceStatements } from './appliance-statements.ts';
import { foreignTable } from './foreign-table.ts';
import { orderStatements } from './order-statements.ts';
import { refusedKeyTable } from './refused-key-table.ts';
import type { Synchronous } from './synchronous.ts';
import { zoneStatements, type ZoneJournal } from './zone-statements.ts';

type Named<Prefix extends string, Methods> = {
  readonly [Method in keyof Methods & string as `${Prefix}.${Method}`]: Methods[Method];
};

export type Operations = Named<'orders', Synchronous<OrderStore>> &
  Named<'appliances', Synchronous<ApplianceStore>> &
  Named<'refusedKeys', Synchronous<RefusedKeyStore>> &
  Named<'zones', Synchronous<ZoneJournal>> &
  Named<'foreign', Synchronous<ForeignStore>> &
  Named<'acmeDns', Synchronous<AcmeDnsAccountStore>>;

export type OperationName = keyof Operations;

/** Asks for an operation; a caller has one transaction for itself whichever way it is run. */
export type Call = <Name extends OperationName>(
  name: Name,
  ...given: Parameters<Operations[Name]>
) => Promise<ReturnType<Operations[Name]>>;

export function operationsOn(database: DatabaseSync): Operations {
  const orders = orderStatements(database);
  const appliances = applianceStatements(database);
  const refusedKeys = refusedKeyTable(database);
  const zones = zoneStatements(database);
  const foreign = foreignTable(database);
  const acmeDns = acmeDnsTable(database);
  return {
    'orders.accept': orders.accept,
    'orders.place': orders.place,
    'orders.save': orders.save,
    'orders.complete': orders.complete,
    'orders.openOrders': orders.openOrders,
    'orders.dossier': orders.dossier,
    'orders.chain': orders.chain,
    'orders.markInstalled': orders.markInstalled,
    'orders.renewAt': orders.renewAt,
    'orders.noteRevoked': orders.noteRevoked,
    'orders.replaceAll': orders.replaceAll,
    'orders.toLookUp': orders.toLookUp,
    'orders.nextLookUpMs': orders.nextLookUpMs,
    'orders.noteRenewal': orders.noteRenewal,
    'orders.unattended': orders.unattended,
    'orders.nextUnattendedMs': orders.nextUnattendedMs,
    'orders.standIn': orders.standIn,
    'orders.leaveUnattended': orders.leaveUnattended,
    'orders.levels': orders.levels,
    'appliances.enrol': appliances.enrol,
    'appliances.find': appliances.find,
    'appliances.list': appliances.list,
    'appliances.count': appliances.count,
    'appliances.recordHello': appliances.recordHello,
    'appliances.setStatus': appliances.setStatus,
    'appliances.addressHistory': appliances.addressHistory,
    'refusedKeys.add': refusedKeys.add,
    'refusedKeys.has': refusedKeys.has,
    'refusedKeys.list': refusedKeys.list,
    'zones.change': zones.change,
    'zones.replace': zones.replace,
    'zones.touch': zones.touch,
    'zones.load': zones.load,
    'zones.page': zones.page,
    'foreign.namesOfKey': foreign.namesOfKey,
    'foreign.note': foreign.note,
    'foreign.list': foreign.list,
    'foreign.settle': foreign.settle,
    'foreign.countUnsettled': foreign.countUnsettled,
    'acmeDns.list': acmeDns.list,
    'acmeDns.add': acmeDns.add,
    'acmeDns.noteTexts': acmeDns.noteTexts,
    'acmeDns.remove': acmeDns.remove,
  };
}
