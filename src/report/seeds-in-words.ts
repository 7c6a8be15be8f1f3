/** The seeds of cells, each once: `1, 2, 3`. */
export function seedsInWords(cells: Iterable<{ readonly seed: number }>): string {
  return [...new Set([...cells].map(({ seed }) => seed))].toSorted((a, b) => a - b).join(", ");
}
