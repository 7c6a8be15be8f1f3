/** How fast a count goes up, from its recent past. */
export interface Pace {
  /** Takes note that `done` units were done at `seconds`. */
  add(seconds: number, done: number): void;
  /** The median of recent seconds a unit; undefined until there is a span to measure. */
  secondsPerUnit(): number | undefined;
}

/**
 * A pace as the median over the last `window` spans of at least `span` seconds each. The median does not mind a pause for a
 * checkpoint or a first step that had to warm up; a count that falls starts it anew.
 */
export function newPace(window = 21, span = 0.25): Pace {
  let last: { seconds: number; done: number } | undefined;
  let spans: number[] = [];
  return {
    add(seconds, done) {
      if (last === undefined || done < last.done) {
        last = { seconds, done };
        spans = [];
      } else if (done > last.done && seconds - last.seconds >= span) {
        spans = [...spans, (seconds - last.seconds) / (done - last.done)].slice(-window);
        last = { seconds, done };
      }
    },
    secondsPerUnit() {
      const sorted = spans.toSorted((a, b) => a - b);
      const upper = sorted[Math.floor(sorted.length / 2)];
      const lower = sorted[Math.ceil(sorted.length / 2) - 1];
      return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
    },
  };
}
