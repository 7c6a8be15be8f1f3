import type { Value } from "../../graph.ts";
import { pad, slice } from "../../ops/movement.ts";
import type { Call } from "../call.ts";
import { padsOf } from "../layout.ts";
import { take } from "./axes.ts";
import type { Operators } from "./operator.ts";

/** Where an element of a padded axis comes from, by its place counted from the axis's old beginning. */
const SOURCES: Readonly<Record<string, (place: number, length: number) => number>> = {
  edge: (place, length) => Math.min(Math.max(place, 0), length - 1),
  reflect(place, length) {
    const period = Math.max(2 * (length - 1), 1);
    const at = ((place % period) + period) % period;
    return at < length ? at : period - at;
  },
  wrap: (place, length) => ((place % length) + length) % length,
};

function padding(c: Call): Value {
  const x = c.value(0);
  const { before, after } = padsOf(c, x.shape.length);
  const mode = c.text("mode", "constant");
  if (mode === "constant") {
    const positive = (list: readonly number[]) => list.map((n) => Math.max(n, 0));
    // Negative padding takes elements away.
    const starts = before.map((n) => Math.max(-n, 0));
    const ends = x.shape.map((n, i) => n - Math.max(-after[i]!, 0));
    return pad(slice(x, starts, ends), positive(before), positive(after), c.numbers(2)?.[0] ?? c.float("value", 0));
  }
  const source = Object.hasOwn(SOURCES, mode) ? SOURCES[mode]! : c.fail(`the mode ${mode} is not supported`);
  return x.shape.reduce((padded: Value, length, axis) => {
    const [b, a] = [before[axis]!, after[axis]!];
    if (b === 0 && a === 0) return padded;
    if (length === 0 || length + b + a < 0) c.fail(`an axis of length ${length} cannot be padded by ${b} and ${a}`);
    return take(
      padded,
      axis,
      Array.from({ length: length + b + a }, (_, i) => source(i - b, length)),
    );
  }, x);
}

/** Padding. */
export const paddings: Operators = { Pad: padding };
