import { folderStore } from "./folder-store.ts";
import type { RunStore } from "./run-store.ts";

/** A run store in a bucket, as the command line names it. */
export interface StoreChoice {
  /** `s3://bucket/prefix`. */
  readonly address: string;
  /** Address of an S3-compatible server; the AWS SDK's own settings say it where it is left out. */
  readonly endpoint?: string;
}

/**
 * Opens what grid and workers share: a folder of runs that all mount, or a bucket. The client for buckets is loaded for these alone.
 * @throws UserError for an address that is none.
 */
export async function openRunStore(runsDir: string, store?: StoreChoice): Promise<RunStore> {
  if (store === undefined) return folderStore(runsDir);
  const [{ s3Address }, { openS3Store }] = await Promise.all([import("./s3/address.ts"), import("./s3/index.ts")]);
  return openS3Store(s3Address(store.address, store.endpoint), runsDir);
}
