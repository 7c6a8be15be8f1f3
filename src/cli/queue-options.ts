import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { UserError } from "../engine/errors.ts";
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

/** `--store`: a bucket in which grid and workers meet, instead of a folder that they share. */
export function storeOption() {
  return new Option("--store <address>", "s3://bucket/prefix in which grid and workers meet; --runs is then local");
}

/** `--store-endpoint`: where a bucket's server is. */
export function endpointOption() {
  return new Option(
    "--store-endpoint <url>",
    "S3-compatible server of --store (else: AWS_ENDPOINT_URL_S3, or AWS by AWS_REGION)",
  );
}

/** The bucket of a grid as its modules take it. @throws UserError for an endpoint without a bucket. */
export function chosenStore(options: {
  readonly store?: string | undefined;
  readonly storeEndpoint?: string | undefined;
}): { readonly store?: { readonly address: string; readonly endpoint?: string } } {
  const { store: address, storeEndpoint: endpoint } = options;
  if (address === undefined) {
    if (endpoint === undefined) return {};
    throw new UserError("--store-endpoint: also name a bucket, --store s3://bucket/prefix");
  }
  return { store: { address, ...(endpoint !== undefined && { endpoint }) } };
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
