/** Lets other programs change a zone of our DNS by HTTP: one request puts a challenge record, another clears it. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { OwnZones } from '../../broker/src/dns/own-zones.ts';

export interface RecordChanges {
  /** Followed by `/put?name=NAME&value=VALUE`, or `/clear` with the same. The answer means that it is done. */
  readonly url: string;
  /** Every record that was ever put. */
  readonly seen: ReadonlySet<string>;
  stop(): void;
}

const LOOPBACK = '127.0.0.1';

export async function serveRecordChanges(zones: OwnZones): Promise<RecordChanges> {
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', `http://${LOOPBACK}`);
    // Some clients give the name with its final dot.
    const name = (searchParams.get('name') ?? '').replace(/\.$/, '');
    const value = searchParams.get('value') ?? '';
    if (pathname === '/put') seen.add(`${name} ${value}`);
    const record = { kind: 'txt', name, value } as const;
    const change = pathname === '/put' ? zones.put(record) : zones.clear(record);
    change.then(
      () => response.end(),
      (error: unknown) => response.writeHead(400).end(String(error)),
    );
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://${LOOPBACK}:${port}`, seen, stop };
}
