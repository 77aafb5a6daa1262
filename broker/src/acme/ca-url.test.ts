import { expect, test } from 'vitest';
import { parseCaUrl } from './ca-url.ts';

test.each([
  'https://ca.example/a?b=c',
  'http://127.0.0.1:14000/dir',
  'http://127.8.8.8/dir',
  'http://[::1]:14000/dir',
  'http://localhost:14000/dir',
])('%s is taken', (url) => {
  expect(parseCaUrl(url)).toBe(url);
});

test.each([
  'http://ca.example/dir',
  'http://127.0.0.1.example/dir',
  'http://localhost.example/dir',
  'https://user:password@ca.example/',
  'https://user@ca.example/',
  'file:///etc/passwd',
  'data:text/plain,Do%20what%20thou%20wilt',
  '/relative',
  'https://',
  `https://ca.example/${'x'.repeat(2_048)}`,
  '',
  42,
  null,
  undefined,
  ['https://ca.example/'],
])('%j is refused', (url) => {
  expect(parseCaUrl(url)).toBeUndefined();
});

test('a relative Location is understood against the URL of its request', () => {
  expect(parseCaUrl('/order/7', 'https://ca.example/new-order')).toBe('https://ca.example/order/7');
});
