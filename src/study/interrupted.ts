/** Thrown where work stopped because it was asked to: what was finished is kept, and the same command goes on from there. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor(what = "the study") {
    super(`${what} was interrupted`);
  }
}

/** Whether an error says that work was stopped by an abort signal, rather than that it went wrong. */
export function isInterruption(error: unknown): boolean {
  return error instanceof Interrupted || (error instanceof Error && error.name === "AbortError");
}
