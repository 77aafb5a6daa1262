/** newOrder, orders, finalize and certificates as JSON (RFC 8555 §7.4). */
import { z } from 'zod';
import { chainPem } from './certificates.ts';
import { json, type Answer } from './exchange.ts';
import { requireAccount, type SignedRequest } from './gatekeeper.ts';
import { parse, parseJson } from './jws.ts';
import type { Links } from './links.ts';
import type { Ordering } from './ordering.ts';
import { presentOrder, PROCESSING_RETRY_SECONDS, type Order } from './orders.ts';
import { Problem } from './problems.ts';

export interface OrderDeskOptions {
  readonly ordering: Ordering;
  readonly links: Links;
}

const NewOrder = z.object({
  identifiers: z.array(z.object({ type: z.string(), value: z.string() })),
  profile: z.string().optional(),
  replaces: z.string().optional(),
  notBefore: z.string().optional(),
  notAfter: z.string().optional(),
});

const Finalize = z.object({ csr: z.base64url() });

export class OrderDesk {
  readonly #parts: OrderDeskOptions;

  constructor(options: OrderDeskOptions) {
    this.#parts = options;
  }

  newOrder(request: SignedRequest): Answer {
    const account = requireAccount(request);
    const wanted = parse(NewOrder, parseJson(request.payload, 'newOrder request'), 'newOrder request');
    if (wanted.notBefore !== undefined || wanted.notAfter !== undefined) {
      throw new Problem('malformed', 'NotBefore and NotAfter are not supported');
    }
    return this.#present(this.#parts.ordering.place(account, wanted), 201);
  }

  order(request: SignedRequest, accountId: string, orderId: string): Answer {
    requireEmpty(request);
    const account = requireAccount(request);
    const order = this.#parts.ordering.find(account, orderId);
    return this.#present(requireOwner(order, accountId), 200);
  }

  async finalize(request: SignedRequest, accountId: string, orderId: string): Promise<Answer> {
    const account = requireAccount(request);
    requireOwner(this.#parts.ordering.find(account, orderId), accountId);
    const order = await this.#parts.ordering.finalize(account, orderId, () => {
      const { csr } = parse(Finalize, parseJson(request.payload, 'finalize request'), 'finalize request');
      return Buffer.from(csr, 'base64url');
    });
    return this.#present(order, 200);
  }

  certificate(request: SignedRequest, serial: string): Answer {
    const account = requireAccount(request);
    requireEmpty(request);
    return {
      status: 200,
      content: { kind: 'chain', pem: chainPem(this.#parts.ordering.certificate(account, serial)) },
    };
  }

  #present(order: Order, httpStatus: number): Answer {
    const { links, ordering } = this.#parts;
    const status = ordering.status(order);
    const answer = { ...json(presentOrder(order, status, links), httpStatus), location: links.order(order) };
    return status === 'processing' ? { ...answer, retryAfterSeconds: PROCESSING_RETRY_SECONDS } : answer;
  }
}

function requireEmpty(request: SignedRequest): void {
  if (request.payload.length > 0) throw new Problem('malformed', 'POST-as-GET requests must have an empty payload');
}

/** The account in the URL has to be the order's own. */
function requireOwner(order: Order, accountId: string): Order {
  if (order.accountId === accountId) return order;
  throw new Problem('malformed', `No order found for account ID ${accountId}`, { status: 404 });
}
