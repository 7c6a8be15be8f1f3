import { byIdentity, means } from "./by-identity.ts";
import { bootstrapByIdentity } from "./interval.ts";
import type { Measured } from "./measured.ts";

/** One judge's verdicts: for each reconstruction 1 where it sees the attacked identity, else 0. */
export interface Verdicts {
  readonly name: string;
  readonly hits: Uint8Array;
}

/**
 * How far several judges agree on what an attack achieved. One judge alone can be fooled by images that it, and nobody else, takes for
 * the identity: its false positives (Ho et al., arXiv 2505.03519). All intervals come from resampling identities.
 */
export interface Agreement {
  /** By judge, the first being the evaluation model: the share of reconstructions in which it sees the attacked identity. */
  readonly attackAccuracy: readonly { readonly judge: string; readonly rate: Measured }[];
  /** Share of reconstructions of which all judges say the same. */
  readonly agreement: Measured;
  /** Share of reconstructions in which every judge sees the attacked identity. */
  readonly unanimous: Measured;
  /** Of the first judge's successes the share that not every other judge sees; absent where it has none. */
  readonly unconfirmed?: Measured;
  /** Of all that any judge calls a success the share that only one of them sees; absent where there is none. */
  readonly single?: Measured;
}

/** What judges say of one identity's reconstructions. */
export interface JudgedIdentity {
  /** By judge, in their order: the share in which it sees the identity. */
  readonly attackAccuracy: readonly number[];
  /** Share in which every judge sees it. */
  readonly unanimous: number;
}

/**
 * The verdicts identity by identity.
 * @param labels the attacked class of each reconstruction
 * @returns one a class; shares of a class without reconstructions are NaN
 * @throws RangeError for verdicts that do not fit the labels.
 */
export function judgedByIdentity(
  judges: readonly Verdicts[],
  labels: Int32Array,
  classes: number,
): readonly JudgedIdentity[] {
  const shares = judges.map(({ hits }) => means(byIdentity(hits, labels, classes)));
  const every = Uint8Array.from(labels, (_, i) => Number(judges.every(({ hits }) => hits[i] === 1)));
  return Array.from(means(byIdentity(every, labels, classes)), (unanimous, label) => ({
    attackAccuracy: shares.map((ofJudge) => ofJudge[label]!),
    unanimous,
  }));
}

/**
 * Puts the verdicts of at least two judges together.
 * @param labels the attacked class of each reconstruction
 * @throws RangeError for fewer than two judges, no reconstruction, or verdicts that do not fit the labels.
 */
export function agreementOf(judges: readonly Verdicts[], labels: Int32Array, classes: number, seed: number): Agreement {
  const [first] = judges;
  if (first === undefined || judges.length < 2) {
    throw new RangeError(`agreement needs two judges, got ${judges.length}`);
  }
  for (const { name, hits } of judges) {
    if (hits.length !== labels.length) {
      throw new RangeError(`${name}: ${hits.length} verdicts on ${labels.length} reconstructions`);
    }
  }
  const votes = Int32Array.from(labels, (_, i) => judges.reduce((sum, { hits }) => sum + hits[i]!, 0));
  const rate = (value: (i: number) => boolean | number, among: (i: number) => boolean = () => true) => {
    const counted = [...labels.keys()].filter(among);
    if (counted.length === 0) return undefined;
    const values = counted.map((i) => Number(value(i)));
    return bootstrapByIdentity(
      byIdentity(
        values,
        Int32Array.from(counted, (i) => labels[i]!),
        classes,
      ),
      seed,
    );
  };
  const everywhere = (value: (i: number) => boolean | number): Measured => {
    const measured = rate(value);
    if (measured === undefined) throw new RangeError("agreement: no reconstruction");
    return measured;
  };
  const all = judges.length;
  const unconfirmed = rate(
    (i) => votes[i]! < all,
    (i) => first.hits[i] === 1,
  );
  const single = rate(
    (i) => votes[i] === 1,
    (i) => votes[i]! > 0,
  );
  return {
    attackAccuracy: judges.map(({ name, hits }) => ({ judge: name, rate: everywhere((i) => hits[i]!) })),
    agreement: everywhere((i) => votes[i] === 0 || votes[i] === all),
    unanimous: everywhere((i) => votes[i] === all),
    ...(unconfirmed && { unconfirmed }),
    ...(single && { single }),
  };
}
