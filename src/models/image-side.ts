import { UserError } from "../engine/errors.ts";
import type { ModelShape } from "./model.ts";

/** @throws UserError for images whose height or width is no multiple of `factor`. */
export function requireMultiple(kind: string, [, height, width]: ModelShape["input"], factor: number): void {
  if (height % factor === 0 && width % factor === 0) return;
  const sizes = [factor, 2 * factor, 3 * factor].join(", ");
  throw new UserError(
    `${kind}: takes images whose sides are multiples of ${factor} (${sizes}, …), got ${height}×${width}`,
  );
}

/** @throws UserError for images with fewer rows or columns than `least`. */
export function requireSide(kind: string, [, height, width]: ModelShape["input"], least: number): void {
  if (Math.min(height, width) >= least) return;
  throw new UserError(`${kind}: takes images of at least ${least}×${least}, got ${height}×${width}`);
}
