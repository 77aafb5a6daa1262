/** Which registered domain a name counts towards at a CA: the label before a public suffix, and that suffix. */
import { getDomain } from 'tldts';

/**
 * By the Public Suffix List, its private section included, as Boulder counts.
 * @param publicSuffixes zones that CAs take for public suffixes although our copy of the list does not know them yet.
 */
export function registeredDomains(publicSuffixes: readonly string[] = []): (name: string) => string {
  return (name) => {
    const suffix = publicSuffixes.find((candidate) => name.endsWith(`.${candidate}`));
    if (suffix === undefined) return getDomain(name, { allowPrivateDomains: true }) ?? name;
    const below = name.slice(0, -suffix.length - 1);
    return `${below.slice(below.lastIndexOf('.') + 1)}.${suffix}`;
  };
}
