/** The page that the pretend appliance shows: its name, its address, its certificate. */
import type { RequestListener } from 'node:http';
import type { ApplianceStatus } from '@lanyard/sdk';

/** Answers every request with the state of this moment. */
export function webPage(deviceId: string, status: () => ApplianceStatus): RequestListener {
  return (_request, response) => {
    const now = status();
    const certificate = 'certificate' in now ? now.certificate : undefined;
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    response.end(`<!doctype html>
<title>${deviceId}</title>
<h1>${deviceId}</h1>
<dl>
<dt>Name<dd>${now.names.join(', ') || 'none yet'}
<dt>Address<dd>${now.published.join(', ') || 'not published'}
<dt>Certificate<dd>${certificate ? `until ${new Date(certificate.notAfterMs).toISOString()}` : 'self-signed'}
<dt>State<dd>${now.kind}
</dl>
`);
  };
}
