/** The ports that the store fulfils, over whatever runs its operations. */
import type { ForeignStore } from '../certificates/foreign/foreign-store.ts';
import type { OrderStore } from '../certificates/order-store.ts';
import type { RefusedKeyStore } from '../certificates/refused-keys.ts';
import type { ApplianceStore } from '../fleet/appliance-store.ts';
import type { AcmeDnsAccountStore } from './acme-dns-table.ts';
import type { Call } from './operations.ts';
import type { ZoneJournal } from './zone-statements.ts';

export interface StorePorts {
  readonly orders: OrderStore;
  readonly appliances: ApplianceStore;
  readonly refusedKeys: RefusedKeyStore;
  readonly zones: ZoneJournal;
  readonly foreign: ForeignStore;
  readonly acmeDns: AcmeDnsAccountStore;
}

export function storePorts(call: Call): StorePorts {
  return {
    orders: {
      accept: (request) => call('orders.accept', request),
      place: (wish) => call('orders.place', wish),
      save: (order, changes) => call('orders.save', order, changes),
      complete: (order, certificate, changes) => call('orders.complete', order, certificate, changes),
      openOrders: () => call('orders.openOrders'),
      dossier: (deviceId) => call('orders.dossier', deviceId),
      chain: (deviceId, fingerprint) => call('orders.chain', deviceId, fingerprint),
      markInstalled: (deviceId, fingerprint, nowMs) => call('orders.markInstalled', deviceId, fingerprint, nowMs),
      renewAt: (deviceId, renewAtMs) => call('orders.renewAt', deviceId, renewAtMs),
      noteRevoked: (fingerprint, revocation) => call('orders.noteRevoked', fingerprint, revocation),
      replaceAll: (fromMs, withinMs, isDryRun) => call('orders.replaceAll', fromMs, withinMs, isDryRun),
      toLookUp: (authority, nowMs, limit) => call('orders.toLookUp', authority, nowMs, limit),
      nextLookUpMs: (authority) => call('orders.nextLookUpMs', authority),
      noteRenewal: (lookedUp, renewal) => call('orders.noteRenewal', lookedUp, renewal),
      unattended: (nowMs, limit) => call('orders.unattended', nowMs, limit),
      nextUnattendedMs: () => call('orders.nextUnattendedMs'),
      standIn: (wish) => call('orders.standIn', wish),
      leaveUnattended: (fingerprint) => call('orders.leaveUnattended', fingerprint),
      levels: (authority, nowMs, limit) => call('orders.levels', authority, nowMs, limit),
    },
    appliances: {
      enrol: (appliance) => call('appliances.enrol', appliance),
      find: (deviceId) => call('appliances.find', deviceId),
      list: (page) => call('appliances.list', page),
      count: () => call('appliances.count'),
      recordHello: (deviceId, hello, published) => call('appliances.recordHello', deviceId, hello, published),
      setStatus: (deviceId, status, nowMs) => call('appliances.setStatus', deviceId, status, nowMs),
      addressHistory: (deviceId, limit) => call('appliances.addressHistory', deviceId, limit),
    },
    refusedKeys: {
      add: (key) => call('refusedKeys.add', key),
      has: (keyHash) => call('refusedKeys.has', keyHash),
      list: (page) => call('refusedKeys.list', page),
    },
    zones: {
      change: (apex, change) => call('zones.change', apex, change),
      replace: (apex, owner, types, records) => call('zones.replace', apex, owner, types, records),
      touch: (apex) => call('zones.touch', apex),
      load: (apex, types) => call('zones.load', apex, types),
      page: (apex, after) => call('zones.page', apex, after),
    },
    foreign: {
      namesOfKey: (keyHash) => call('foreign.namesOfKey', keyHash),
      note: (certificate, seenAtMs, most) => call('foreign.note', certificate, seenAtMs, most),
      list: () => call('foreign.list'),
      settle: (fingerprint, nowMs) => call('foreign.settle', fingerprint, nowMs),
      countUnsettled: () => call('foreign.countUnsettled'),
    },
    acmeDns: {
      list: () => call('acmeDns.list'),
      add: (account) => call('acmeDns.add', account),
      noteTexts: (label, texts, atMs) => call('acmeDns.noteTexts', label, texts, atMs),
      remove: (label) => call('acmeDns.remove', label),
    },
  };
}
