/** What one check found, in words for the operator. */

/** What is wrong, why it matters and how to mend it: a sentence each. */
export interface Fault {
  readonly what: string;
  readonly why: string;
  readonly mend: string;
}

export type Finding =
  | { readonly check: string; readonly severity: 'ok' | 'skipped'; readonly what: string }
  | (Fault & { readonly check: string; readonly severity: 'warning' | 'error' });

export function ok(check: string, what: string): Finding {
  return { check, severity: 'ok', what };
}

/** @param what was not looked at, and the reason. */
export function skipped(check: string, what: string): Finding {
  return { check, severity: 'skipped', what };
}

export function warning(check: string, fault: Fault): Finding {
  return { check, severity: 'warning', ...fault };
}

export function error(check: string, fault: Fault): Finding {
  return { check, severity: 'error', ...fault };
}
