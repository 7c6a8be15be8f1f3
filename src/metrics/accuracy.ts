import { byIdentity, means } from "./by-identity.ts";
import { wilson } from "./interval.ts";
import type { Measured } from "./measured.ts";
import type { Evidence } from "./metric.ts";
import { hits } from "./top-k.ts";

/** What a classifier said of images, n × K, and the class that counts as right for each. */
interface Answers {
  readonly logits: Float32Array;
  readonly labels: Int32Array;
}

/**
 * The two measurements of a top-k accuracy, with Wilson's interval over images; k is cut to the number of classes.
 * @param of picks from the evidence what is judged
 */
export function accuracy(
  of: (evidence: Evidence) => Answers,
  k: number,
): { measure(evidence: Evidence): Measured; perIdentity(evidence: Evidence): Float64Array } {
  const judge = (evidence: Evidence) => {
    const { logits, labels } = of(evidence);
    const classes = evidence.classes.length;
    return { labels, classes, found: hits(logits, labels, classes, Math.min(k, classes)) };
  };
  return {
    measure(evidence) {
      const { found } = judge(evidence);
      return wilson(
        found.reduce((sum, hit) => sum + hit, 0),
        found.length,
      );
    },
    perIdentity(evidence) {
      const { found, labels, classes } = judge(evidence);
      return means(byIdentity(found, labels, classes));
    },
  };
}
