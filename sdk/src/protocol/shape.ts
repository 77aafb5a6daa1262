/** Small readers that turn an unknown value into a known one, or say where it differs. */

/** What became of an unknown body. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly code: 'bad-request' | 'unsupported-version' | 'too-large';
      readonly message: string;
    };

/** Reads a value found at `path`, or throws a `Mismatch` that `parseWith` turns into a refusal. */
export type Shape<T> = (value: unknown, path: string) => T;

type Fields = Readonly<Record<string, unknown>>;
type ShapeOf<S> = S extends Shape<infer T> ? T : never;
type OptionalKeys<F> = { [K in keyof F]: undefined extends ShapeOf<F[K]> ? K : never }[keyof F];
type ObjectOf<F> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: ShapeOf<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: Exclude<ShapeOf<F[K]>, undefined>;
};

class Mismatch extends Error {}

export function parseWith<T>(shape: Shape<T>, value: unknown): Parsed<T> {
  try {
    return { ok: true, value: shape(value, '') };
  } catch (error) {
    if (error instanceof Mismatch) return { ok: false, code: 'bad-request', message: error.message };
    throw error;
  }
}

/** Unknown fields are ignored, so that a later minor revision may add some. */
export function object<F extends Record<string, Shape<unknown>>>(fields: F): Shape<ObjectOf<F>> {
  const entries = Object.entries(fields);
  return (value, path) => {
    if (!isFields(value)) return refuse(path, 'must be an object');
    const result: Record<string, unknown> = {};
    for (const [name, shape] of entries) {
      const own = Object.hasOwn(value, name) ? value[name] : undefined;
      const read = shape(own, path === '' ? name : `${path}.${name}`);
      if (read !== undefined) result[name] = read;
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop filled exactly the fields of F
    return result as ObjectOf<F>;
  };
}

export function text(maxCharacters: number, pattern?: RegExp): Shape<string> {
  return (value, path) => {
    if (typeof value !== 'string') return refuse(path, 'must be a string');
    if (value.length > maxCharacters) return refuse(path, `must have at most ${maxCharacters} characters`);
    if (pattern && !pattern.test(value)) return refuse(path, `must match ${pattern.source}`);
    return value;
  };
}

export function integer(min: number, max: number): Shape<number> {
  return (value, path) => {
    const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
    return fits ? value : refuse(path, `must be a whole number from ${min} to ${max}`);
  };
}

export const flag: Shape<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : refuse(path, 'must be true or false');

export function oneOf<const T extends string>(allowed: readonly T[]): Shape<T> {
  return (value, path) =>
    allowed.find((candidate) => candidate === value) ?? refuse(path, `must be one of ${allowed.join(', ')}`);
}

export function list<T>(item: Shape<T>, maxItems: number): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return refuse(path, 'must be a list');
    if (value.length > maxItems) return refuse(path, `must have at most ${maxItems} items`);
    return value.map((entry: unknown, index) => item(entry, `${path}[${index}]`));
  };
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, path) => (value === undefined || value === null ? undefined : shape(value, path));
}

/** A point in time: ISO 8601 in UTC on the wire, epoch milliseconds inside. */
export const instant: Shape<number> = (value, path) => {
  const fits = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/.test(value);
  const milliseconds = fits ? Date.parse(value) : Number.NaN;
  return Number.isNaN(milliseconds) ? refuse(path, 'must be an ISO 8601 time in UTC') : milliseconds;
};

/** A tagged union: `kind` decides which of `variants` is read. */
export function tagged<V extends Record<string, Shape<object>>>(
  variants: V,
): Shape<{ [K in keyof V & string]: { readonly kind: K } & ShapeOf<V[K]> }[keyof V & string]> {
  const kinds = oneOf(Object.keys(variants));
  return (value, path) => {
    if (!isFields(value)) return refuse(path, 'must be an object');
    const kind = kinds(value['kind'], path === '' ? 'kind' : `${path}.kind`);
    const shape = variants[kind];
    if (shape === undefined) return refuse(path, 'has an unknown kind');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `kind` selected this member of the union
    return { kind, ...shape(value, path) } as never;
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(path: string, what: string): never {
  throw new Mismatch(`${path === '' ? 'the body' : path} ${what}`);
}
