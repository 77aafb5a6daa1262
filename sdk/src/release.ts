/** Which SDK this is, and when it was made. */

/** As in package.json; a test compares them. */
export const SDK_VERSION = '0.1.0';

/** No appliance that runs this release lives earlier: a clock that says so is wrong. */
export const RELEASED_MS = Date.UTC(2026, 9, 1);
