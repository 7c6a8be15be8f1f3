import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { random } from "../engine/random.ts";
import type { ImageSet } from "./dataset.ts";
import { indicesByClass, subset, type View } from "./subset.ts";

const Share = z.number().gt(0).lt(1).default(0.1);

/** How a set of private images is cut into training, validation and test images. */
export const splitSettings = z
  .strictObject({
    validation: Share.describe("share of each private class on which models are selected"),
    test: Share.describe("share of each private class, and of each pre-training class, for natural accuracy"),
  })
  .refine(({ validation, test }) => validation + test < 1, "validation and test must leave something to train on")
  .prefault({});

/**
 * Splits every class into `train` and the named parts by a draw of its own (seed and class name), so that adding a class
 * changes no other. A share is rounded to whole images, but each part gets at least one image of every class that has enough.
 * @param shares the named parts' shares of each class, in (0, 1); `train` gets the rest.
 * @param minimum images that a class must have; a class too small for all parts fills `train` first.
 * @throws UserError for a class with fewer than `minimum` images.
 */
export function splitByClass<Part extends string>(
  set: ImageSet,
  shares: Readonly<Record<Part, number>>,
  seed: number,
  minimum: number,
): Record<"train" | Part, View> {
  const named = Object.entries<number>(shares) as [Part, number][];
  const indices = new Map<"train" | Part, number[]>([
    ["train", []],
    ...named.map(([part]) => [part, []] as [Part, number[]]),
  ]);
  for (const [label, images] of indicesByClass(set).entries()) {
    const className = set.classes[label]!;
    if (images.length < minimum) throw tooFew(set.name, className, images.length, minimum, [...indices.keys()]);
    const order = random(seed, "split", className).permutation(images.length);
    let taken = 0;
    for (const [at, [part, share]] of named.entries()) {
      // `train` and every part still to come must keep one image.
      const free = images.length - taken - (named.length - at);
      const count = Math.max(0, Math.min(Math.max(1, Math.round(share * images.length)), free));
      indices.get(part)!.push(...pick(images, order, taken, taken + count));
      taken += count;
    }
    indices.get("train")!.push(...pick(images, order, taken, images.length));
  }
  const views = Array.from(indices, ([part, list]) => {
    const name = `${set.name} ${part}`;
    return [
      part,
      subset(
        set,
        list.sort((a, b) => a - b),
        { name },
      ),
    ] as const;
  });
  return Object.fromEntries(views) as Record<"train" | Part, View>;
}

/**
 * The three parts of a private set.
 * @throws UserError for a class with fewer than three images.
 */
export function splitPrivate(
  set: ImageSet,
  shares: { readonly validation: number; readonly test: number },
  seed: number,
): Record<"train" | "validation" | "test", View> {
  return splitByClass(set, { validation: shares.validation, test: shares.test }, seed, 3);
}

function pick(images: Int32Array, order: Int32Array, from: number, to: number): number[] {
  return Array.from(order.subarray(from, to), (position) => images[position]!);
}

function tooFew(set: string, className: string, found: number, minimum: number, parts: readonly string[]): UserError {
  return new UserError(
    `${set}: class '${className}' has ${found} image${found === 1 ? "" : "s"}, but at least ${minimum} are needed ` +
      `(one each for ${parts.join(", ")}); add images or remove the class`,
  );
}
