/** docs/operating.md lists exactly the settings that the broker has, with their defaults. */
import { readFileSync } from 'node:fs';
import { LanyardError, parseConfig } from '@lanyard/broker';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';

const page = read('docs/operating.md');
const rows = [...page.matchAll(/^\| `([a-zA-Z]+(?:\.[a-zA-Z]+)?)` +\| (required|none|`[^`]+`) +\|/gm)].map(
  ([, path = '', value = '']) => ({ path, value: value.replaceAll('`', '') }),
);
const required: Readonly<Record<string, unknown>> = {
  'zone.apex': 'devices.example.com',
  'zone.nameServers': [{ name: 'ns1.devices.example.com' }],
  'mqtt.names': ['lanyard.example.com'],
  'acme.directory': 'https://ca.example.com/directory',
};
const optional: Readonly<Record<string, unknown>> = {
  'zone.hostmaster': 'dns.example.com',
  'dns.cookieSecretFile': 'dns-cookie.secrets',
  'acme.profile': 'shortlived',
  'acme.roots': 'roots.pem',
  'acme.externalAccount': { kid: 'kid-1', hmacKeyFile: 'external-account.key' },
  'acme.caaIdentity': 'ca.example.com',
  'acme.limits': 'letsencrypt',
  'acmeDns.apex': 'proofs.devices.example.com',
  'acmeDns.tokenFile': 'acme-dns.token',
  'acme.rehearsal': { directory: 'https://staging.example.com/directory', caaIdentity: 'ca.example.com' },
};

describe('the table of settings', () => {
  test('has the defaults that the broker takes', () => {
    const defaults = flat(parseConfig(nested(required)));
    const written = rows.filter(({ value }) => value !== 'required' && value !== 'none');
    const expected = Object.entries(defaults)
      .filter(([path]) => !(path in required))
      .map(([path, value]) => [path, typeof value === 'string' ? value : JSON.stringify(value)]);
    expect(Object.fromEntries(written.map(({ path, value }) => [path, value]))).toEqual(Object.fromEntries(expected));
  });

  test('calls required what the broker does not start without', () => {
    expect(pathsWith('required')).toEqual(Object.keys(required).toSorted());
    for (const path of Object.keys(required)) {
      const { [path]: _left, ...rest } = required;
      expect(refusal(nested(rest))).toContain(path);
    }
  });

  test('says "none" for what may be left out and has no default', () => {
    expect(pathsWith('none')).toEqual(Object.keys(optional).toSorted());
    expect(flat(parseConfig(nested({ ...required, ...optional })))).toMatchObject(optional);
  });

  test('leaves no setting of the schema out', () => {
    const parts = ['names', 'dns', 'acme', 'acme-dns'].map((part) => read(`broker/src/settings/${part}.ts`));
    const source = [read('broker/src/config.ts'), ...parts].join('\n');
    const keys = [...source.matchAll(/^ +([a-zA-Z]+):(?: (?:host|port|dnsName|z)\b| z\n|\n? *z$)/gm)].map(
      ([, key]) => key,
    );
    const last = new Set(rows.map(({ path }) => path.split('.').at(-1)));
    const groups = new Set(rows.map(({ path }) => path.split('.')[0]));
    // Parts of one entry: its row names them.
    const inEntries = new Set([
      'name',
      'addresses',
      'host',
      'port',
      'kid',
      'hmacKeyFile',
      'algorithm',
      'secretFile',
      'burst',
      'periodMs',
      'count',
      'perSecond',
      'errorsPerSecond',
      'slip',
      'exempt',
    ]);
    expect(keys.length).toBeGreaterThan(20);
    expect(keys.filter((key = '') => !last.has(key) && !groups.has(key) && !inEntries.has(key))).toEqual([]);
  });
});

test('every example of a settings file is accepted', () => {
  const blocks = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, block = '']) => block);
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks) expect(() => parseConfig(parse(block))).not.toThrow();
});

function pathsWith(value: string): readonly string[] {
  return rows
    .filter((row) => row.value === value)
    .map(({ path }) => path)
    .toSorted();
}

function refusal(input: unknown): string {
  try {
    parseConfig(input);
  } catch (error) {
    if (LanyardError.is(error, 'config-invalid')) return error.message;
    throw error;
  }
  return '';
}

/** `{ 'zone.apex': x }` from `{ zone: { apex: x } }`: settings have at most two levels. */
function flat(config: object): Readonly<Record<string, unknown>> {
  const entries = Object.entries(config).flatMap(([group, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([name, inner]) => [`${group}.${name}`, inner])
      : [[group, value]],
  );
  return Object.fromEntries(entries);
}

function nested(settings: Readonly<Record<string, unknown>>): object {
  const result: Record<string, Record<string, unknown>> = { zone: {}, mqtt: {}, acme: {} };
  for (const [path, value] of Object.entries(settings)) {
    const [group = '', name = ''] = path.split('.');
    result[group] = { ...result[group], [name]: value };
  }
  return result;
}

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}
