/** A column: its heading, and on which side its cells line up. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Rows in columns that line up, two spaces apart, under their headings; ends with a line break. Empty without rows. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const titles = columns.map(({ title }) => title);
  const lines = titles.some((title) => title !== "") ? [titles, ...rows] : rows;
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => (line[at] ?? "").length)));
  return lines
    .map((line) => {
      const cells = columns.map(({ align }, at) => {
        const cell = line[at] ?? "";
        return align === "right" ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0);
      });
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}
