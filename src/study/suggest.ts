/** The number of single-letter changes, insertions, deletions and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/**
 * The allowed word that was probably meant by `seen`, or undefined where none is near: at most one change in three letters.
 * Case, `-` and `_` do not count, so that `TL_DMI` and `tldmi` find `tl-dmi`.
 */
export function suggest(seen: string, allowed: readonly string[]): string | undefined {
  const bare = (word: string) => word.toLowerCase().replaceAll(/[-_\s]/g, "");
  const wanted = bare(seen);
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const word of allowed) {
    const distance = editDistance(wanted, bare(word));
    if (distance < least) {
      least = distance;
      best = word;
    }
  }
  return best;
}

/** `; did you mean "freeze"?` where an allowed word is near, else `; allowed: a, b`. Empty where nothing is allowed. */
export function suggestion(seen: string, allowed: readonly string[]): string {
  const near = suggest(seen, allowed);
  if (near !== undefined) return `; did you mean "${near}"?`;
  return allowed.length > 0 ? `; allowed: ${allowed.join(", ")}` : "";
}
