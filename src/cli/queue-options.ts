import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { positiveWhole } from "./globals.ts";

/** Shortest lease in seconds: a machine under load may be silent for a while. */
const SHORTEST = 2;

/** `--queue`: where the server of a grid is. It may hold a password, so it can also come by the environment. */
export function queueOption() {
  return new Option(
    "--queue <address>",
    "server of the queue: redis://…, rediss://… or postgres://… (also: TLDMI_QUEUE in the environment)",
  );
}

/** `--lease`: how long a worker may be silent. */
export function leaseOption() {
  return new Option("--lease <seconds>", "a worker that is silent for this long has lost its step to another")
    .argParser((text) => {
      const seconds = positiveWhole(text);
      if (seconds < SHORTEST) throw new InvalidArgumentError(`expected at least ${SHORTEST} seconds.`);
      return seconds;
    })
    .default(30);
}
