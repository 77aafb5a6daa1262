/** What an option is called where it is given: `mqttPort` is `--mqtt-port`. */

/** @param path as a schema names what is wrong. */
export function optionOf([name]: readonly PropertyKey[]): string {
  return `--${String(name).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
