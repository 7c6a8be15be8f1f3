import type { ImageSet } from "../../data/dataset.ts";

/** Bytes above which results are made anew rather than held in memory between steps. */
const LARGEST = 64 * 2 ** 20;

const last = new Map<string, { readonly of: string; readonly result: Promise<Float32Array> }>();

/**
 * The last result of each kind that steps of this process made, for steps that want the same one after the other: all attacks are judged
 * beside the same real images. Nobody writes to it.
 * @param what its kind
 * @param of all that it follows from: the folder of a finished step, which never changes, and the hash of a set
 */
export function remembered(what: string, of: string, make: () => Promise<Float32Array>): Promise<Float32Array> {
  const known = last.get(what);
  if (known?.of === of) return known.result;
  const result = make();
  last.set(what, { of, result });
  const forget = () => {
    if (last.get(what)?.result === result) last.delete(what);
  };
  result.then(({ byteLength }) => {
    if (byteLength > LARGEST) forget();
  }, forget);
  return result;
}

/** What names a finished step's answers to a set. */
export const askedOf = (dir: string, { hash }: Pick<ImageSet, "hash">): string => `${dir} ${hash}`;
