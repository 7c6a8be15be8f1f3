import type { Measured } from "../../metrics/measured.ts";

/**
 * Half-way, in orders of magnitude, from guessing one of the classes to never being wrong: what knows the classes is above it by far, what
 * reads images or classes wrongly is not.
 */
export const chanceLine = (classes: number): number => Math.sqrt(1 / classes);

/** Whether a classifier knows the classes: its interval lies above the line. */
export const knowsClasses = ({ low }: Measured, classes: number): boolean => low > chanceLine(classes);

/** An evaluation model that is wrong about more real images than this share cannot say what reconstructions show. */
export const JUDGE_MINIMUM = 0.7;

/** Whether an evaluation model can judge reconstructions. */
export const canJudge = (accuracy: Measured, classes: number): boolean =>
  accuracy.value >= JUDGE_MINIMUM && knowsClasses(accuracy, classes);

/**
 * The class for which a classifier mostly takes each folder's images, where it tells the folders apart: their true order, where they were
 * numbered wrongly. Undefined where two folders are taken for the same class, or images of one folder for many.
 * @param predicted the class that each image is taken for
 * @param labels the folder of each image
 */
export function likelyOrder(
  predicted: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
): number[] | undefined {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]![predicted[i]!]!++;
  const favourites = counts.map((row) => row.indexOf(Math.max(...row)));
  const agreeing = counts.reduce((sum, row) => sum + Math.max(...row), 0);
  const apart = new Set(favourites).size === classes && agreeing >= LIKELY * labels.length;
  return apart ? favourites : undefined;
}

const LIKELY = 0.6;
