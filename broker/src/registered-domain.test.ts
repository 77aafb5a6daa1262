import { describe, expect, test } from 'vitest';
import { registeredDomains } from './registered-domain.ts';

describe('a name counts towards', () => {
  test.each([
    ['a.devices.example.com', 'example.com'],
    ['a.devices.example.co.uk', 'example.co.uk'],
    ['devices.example.com', 'example.com'],
    // On the list's private section: every customer is a registered domain of its own.
    ['box.synology.me', 'box.synology.me'],
    ['a.box.synology.me', 'box.synology.me'],
    // Names that no list knows.
    ['a.lanyard.test', 'lanyard.test'],
    ['synology.me', 'synology.me'],
  ])('%s: %s', (name, domain) => {
    expect(registeredDomains()(name)).toBe(domain);
  });

  test('its own label below a zone that is a public suffix only by the settings', () => {
    const domainOf = registeredDomains(['devices.example.com']);
    expect(domainOf('a.devices.example.com')).toBe('a.devices.example.com');
    expect(domainOf('x.a.devices.example.com')).toBe('a.devices.example.com');
    expect(domainOf('adevices.example.com')).toBe('example.com');
    expect(domainOf('devices.example.com')).toBe('example.com');
  });
});
