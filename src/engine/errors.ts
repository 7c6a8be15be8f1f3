/**
 * A mistake in what the user gave: a file, a setting, a data set. The command line prints its message alone, without a stack,
 * and leaves with `exitCode` (2: nothing was run; 4: a part of the study failed).
 */
export class UserError extends Error {
  override readonly name: string = "UserError";
  readonly exitCode: number;
  constructor(message: string, exitCode = 2) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A graph that cannot be built: says the op, where it stands, the shapes it got and the rule it broke. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}
