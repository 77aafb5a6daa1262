import { expect, test } from 'vitest';
import { readCertId, writeCertId } from './cert-id.ts';

test('the example of RFC 9773 §4.1, with the leading 00 of its serial', () => {
  const keyIdentifier = '69885B6B87464041E1B37B847BA0AE2CDE01C8D4';
  const authorityKeyId = Buffer.from(keyIdentifier, 'hex').toString('base64url');
  const id = { authorityKeyId, serial: '0087654321' };
  expect(writeCertId(id)).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE');
  expect(readCertId('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE')).toEqual(id);
});

test.each(['', 'abc', 'a.b.c', 'a.', '.b', 'a=.b', 'a/b.c'])('%j is no certID', (text) => {
  expect(() => readCertId(text)).toThrow(/certID/);
});
