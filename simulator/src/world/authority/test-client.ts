/** An ACME client for tests that can also do what no client should. */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { AuthorityRequest, AuthorityResponse } from './exchange.ts';

export interface Liberties {
  readonly nonce?: string;
  /** Leaves the nonce out. */
  readonly hasNonce?: boolean;
  readonly url?: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly contentType?: string;
  readonly withJwk?: boolean;
  readonly signWith?: KeyObject;
  readonly header?: object;
}

export interface Reply {
  readonly status: number;
  readonly headers: AuthorityResponse['headers'];
  readonly text: string;
  /** The JSON body, for tests to look into. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test that reads a wrong member fails, as it should
  readonly json: any;
}

export class TestClient {
  privateKey: KeyObject;
  kid: string | undefined;
  readonly #handle: (request: AuthorityRequest) => Promise<AuthorityResponse>;
  readonly #baseUrl: string;
  readonly #bits: number;

  /** @param bits 256 or 384: the curve of the account key. */
  constructor(handle: (request: AuthorityRequest) => Promise<AuthorityResponse>, baseUrl: string, bits = 256) {
    this.#handle = handle;
    this.#baseUrl = baseUrl;
    this.#bits = bits;
    this.privateKey = generateKeyPairSync('ec', { namedCurve: `P-${bits}` }).privateKey;
  }

  get jwk(): object {
    const { crv, kty, x, y } = this.privateKey.export({ format: 'jwk' });
    return { crv, kty, x, y };
  }

  async get(path: string, method = 'GET'): Promise<Reply> {
    return this.#send({ method, path, contentType: undefined, userAgent: 'test', body: new Uint8Array() });
  }

  async nonce(): Promise<string> {
    return String((await this.get('/acme/new-nonce', 'HEAD')).headers['Replay-Nonce']);
  }

  /** @param payload undefined: POST-as-GET. */
  async post(path: string, payload?: object, liberties: Liberties = {}): Promise<Reply> {
    const url = this.#baseUrl + path;
    const useJwk = liberties.withJwk ?? this.kid === undefined;
    const nonce = liberties.hasNonce === false ? {} : { nonce: liberties.nonce ?? (await this.nonce()) };
    const header = {
      alg: liberties.alg ?? `ES${this.#bits}`,
      url: liberties.url ?? url,
      ...nonce,
      ...(useJwk ? { jwk: this.jwk } : { kid: liberties.kid ?? this.kid }),
      ...liberties.header,
    };
    return this.raw(path, this.sign(header, payload, liberties.signWith), liberties.contentType);
  }

  sign(header: object, payload?: object, key: KeyObject = this.privateKey): object {
    const [first, second] = [encode(header), payload === undefined ? '' : encode(payload)];
    const hash = `sha${this.#bits}`;
    const signature = sign(hash, Buffer.from(`${first}.${second}`), { key, dsaEncoding: 'ieee-p1363' });
    return { protected: first, payload: second, signature: signature.toString('base64url') };
  }

  async raw(path: string, body: unknown, contentType = 'application/jose+json'): Promise<Reply> {
    const bytes = Buffer.from(JSON.stringify(body));
    return this.#send({ method: 'POST', path, contentType, userAgent: 'test', body: bytes });
  }

  /** Makes an account and signs with it from now on. */
  async register(payload: object = { termsOfServiceAgreed: true }): Promise<Reply> {
    const reply = await this.post('/acme/new-acct', payload, { withJwk: true });
    this.kid = String(reply.headers['Location']);
    return reply;
  }

  pathOf(url: unknown): string {
    return new URL(String(url)).pathname;
  }

  async #send(request: AuthorityRequest): Promise<Reply> {
    const { status, headers, body } = await this.#handle(request);
    const isJson = String(headers['Content-Type']).endsWith('json');
    return { status, headers, text: body, json: isJson ? JSON.parse(body) : undefined };
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
