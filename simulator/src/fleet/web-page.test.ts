import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test, vi } from 'vitest';
import type { ApplianceStatus } from '@lanyard/sdk';
import { webPage } from './web-page.ts';

test('the page shows the state of the moment it is asked for', () => {
  const facts = { deviceId: 'appliance-1', names: ['a.devices.example.com'], published: [], link: 'up' };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the page reads these fields only
  const status = { ...facts, kind: 'asking' } as unknown as ApplianceStatus;
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  const end = vi.spyOn(response, 'end');
  webPage('appliance-1', () => status)(request, response);
  expect(response.statusCode).toBe(200);
  const page = String(end.mock.calls[0]?.[0]);
  for (const text of ['<h1>appliance-1</h1>', 'a.devices.example.com', 'not published', 'self-signed', 'asking']) {
    expect(page).toContain(text);
  }
});
