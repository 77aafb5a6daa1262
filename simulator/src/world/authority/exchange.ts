/** A request as any door of the model CA hands it in, and the answer that it carries out. */

export interface AuthorityRequest {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly contentType: string | undefined;
  readonly userAgent: string | undefined;
  /** Where it comes from; nothing is counted by address without it. */
  readonly address?: string | undefined;
  /** A door may stop reading one octet after `BODY_LIMIT_BYTES`. */
  readonly body: Uint8Array;
}

export interface AuthorityResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

/** A hundred names and an RSA-4096 CSR take 12 KiB. */
export const BODY_LIMIT_BYTES = 64 * 1024;

/** What a part of the CA says; the headers that every answer has are added on the way out. */
export interface Answer {
  readonly status: number;
  readonly content: Content;
  readonly location?: string;
  readonly retryAfterSeconds?: number;
  /** Link relations besides `index`. */
  readonly links?: Readonly<Record<string, string>>;
}

export type Content =
  | { readonly kind: 'json'; readonly value: object }
  | { readonly kind: 'chain'; readonly pem: string }
  | { readonly kind: 'empty' };

export function json(value: object, status = 200): Pick<Answer, 'status' | 'content'> {
  return { status, content: { kind: 'json', value } };
}
