/** Whether a CA refused an account for what ties it to a customer (RFC 8555 §7.3.4), which the settings say. */
import { LanyardError } from '@lanyard/sdk/kernel';
import type { ExternalAccount } from './external-account.ts';
import { problemName, problemType } from './problems.ts';

/** What Pebble, Boulder's kin and step-ca say to a key that is wrong, used up or unknown. */
const MEANS_THE_BINDING: ReadonlySet<string> = new Set(['externalAccountRequired', 'malformed', 'unauthorized']);

/** The error that newAccount threw, as `config-invalid` when the settings can mend it. */
export function registrationError(error: unknown, externalAccount: ExternalAccount | undefined): unknown {
  if (!LanyardError.is(error, 'authority-refused')) return error;
  const name = problemName(problemType(error));
  const hint = externalAccount
    ? MEANS_THE_BINDING.has(name) && `acme.externalAccount (kid ${externalAccount.kid}) is wrong, or was used before`
    : name === 'externalAccountRequired' && 'the CA wants acme.externalAccount: kid and hmacKeyFile of a customer';
  if (hint === false) return error;
  const { message, details } = error;
  return new LanyardError('config-invalid', { message: `${hint}; ${message}`, details, cause: error });
}
