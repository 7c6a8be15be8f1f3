import { frechetDistance, momentsOf } from "./frechet-distance.ts";
import { frechetLeaving } from "./frechet-leaving.ts";
import { jackknifeByIdentity } from "./interval.ts";
import { defineMetric, type Evidence } from "./metric.ts";
import { checkAllFeatures } from "./nearest-reference.ts";

function rowsOf(evidence: Evidence) {
  checkAllFeatures(evidence);
  const { reconstructions, references, featureLength: d } = evidence;
  const labelled = ({ labels, features }: { labels: Int32Array; features: Float32Array }) =>
    Array.from(labels, (label, i) => ({ label, row: features.subarray(i * d, (i + 1) * d) }));
  const attacked = new Set(reconstructions.labels);
  const real = labelled(references).filter(({ label }) => attacked.has(label));
  return { d, real, fake: labelled(reconstructions), attacked: [...attacked] };
}

/**
 * FID with the evaluation model's penultimate features in the place of Inception's: between all reconstructions and the private
 * training images of the attacked identities. It falls with the number of images, so values are comparable only at equal n; `n`
 * counts reconstructions. The interval is a delete-a-group jackknife over identities. Not measured below two images a side.
 */
export const fid = defineMetric({
  kind: "fid",
  name: "FID, evaluation features",
  summary:
    "Fréchet distance between reconstructions and private training images of the attacked identities, in the evaluation model's features; comparable at equal numbers of images only",
  paper: "Heusel et al., GANs Trained by a Two Time-Scale Update Rule, NeurIPS 2017",
  measures: "leakage",
  direction: "lower",
  unit: "squared L2",
  range: [0, Number.POSITIVE_INFINITY],
  measure(evidence) {
    const { d, real, fake, attacked } = rowsOf(evidence);
    if (real.length < 2 || fake.length < 2) return undefined;
    const distance = frechetLeaving(
      real.map(({ row }) => row),
      fake.map(({ row }) => row),
      d,
    );
    const { value, low, high } = jackknifeByIdentity(attacked, (left) => {
      const [leftReal, leftFake] = [real, fake].map((rows) =>
        rows.flatMap(({ label }, i) => (left.has(label) ? [i] : [])),
      );
      if (real.length - leftReal!.length < 2 || fake.length - leftFake!.length < 2) return undefined;
      return distance(leftReal!, leftFake!);
    });
    return { value, n: fake.length, low: Math.max(0, low), high };
  },
  perIdentity(evidence) {
    const { d, real, fake } = rowsOf(evidence);
    return Float64Array.from(evidence.classes, (_, label) => {
      const of = (rows: typeof real) => rows.flatMap((r) => (r.label === label ? [r.row] : []));
      const [own, found] = [of(real), of(fake)];
      return own.length < 2 || found.length < 2 ? Number.NaN : frechetDistance(momentsOf(own, d), found);
    });
  },
});
