/** Orders that wait for their turn: by urgency, fair between zones, and a lane whose budget is short costs nothing. */

/** The most urgent first. */
export const PRIORITIES = ['expiring-soon', 'replacement', 'renewal', 'first', 're-enrolment'] as const;
export type Priority = (typeof PRIORITIES)[number];
