/** The broker's ports with a witness in front: what is stored, published and cleared becomes a fact. */
import type { VirtualPorts } from '@lanyard/broker/virtual';

export interface PortWitness {
  orderOpened(deviceId: string, orderId: string, keyHash: string): void;
  /** The same, for an appliance that did not ask. */
  stoodIn(deviceId: string, orderId: string, keyHash: string): void;
  orderClosed(deviceId: string, orderId: string): void;
  published(name: string, addresses: readonly string[]): void;
}

/** Puts `witness` nearest to the domain: it sees what the domain is told. */
export function watchPorts(witness: PortWitness): (ports: VirtualPorts) => VirtualPorts {
  return (ports) => {
    const { orders, board } = ports;
    return {
      ...ports,
      orders: {
        ...orders,
        accept: async (request) => {
          const acceptance = await orders.accept(request);
          if (acceptance.kind === 'accepted') {
            witness.orderOpened(request.deviceId, acceptance.order.id, request.keyHash);
          }
          return acceptance;
        },
        standIn: async (wish) => {
          const order = await orders.standIn(wish);
          if (order) witness.stoodIn(order.deviceId, order.id, order.keyHash);
          return order;
        },
        save: async (order, changes) => {
          const isSaved = await orders.save(order, changes);
          if (isSaved && order.state.kind === 'issued') witness.orderClosed(order.deviceId, order.id);
          return isSaved;
        },
      },
      board: {
        put: (record) => board.put(record),
        clear: (record) => board.clear(record),
        list: () => board.list(),
        publish: async (name, addresses) => {
          await board.publish(name, addresses);
          witness.published(name, addresses);
        },
      },
    };
  };
}
