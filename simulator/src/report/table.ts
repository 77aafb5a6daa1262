/** Rows and columns in plain text. */

/** @param rows the first one is the heading. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const [heading = [], ...rest] = rows;
  return [line(heading), widths.map((width) => '─'.repeat(width)).join('  '), ...rest.map(line)];
}
