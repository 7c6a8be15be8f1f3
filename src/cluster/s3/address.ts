import { UserError } from "../../engine/errors.ts";
import { httpAddress } from "../../study/http-address.ts";

/** Where a run store lies in a bucket. */
export interface S3Address {
  readonly bucket: string;
  /** What the keys of all its objects begin with: empty, or with a slash at its end. */
  readonly prefix: string;
  /** Address of an S3-compatible server; undefined for the one that the AWS SDK's own settings name. */
  readonly endpoint: string | undefined;
  /** `s3://bucket/prefix`, and the server where one was named. */
  readonly shown: string;
}

/** Reads `s3://bucket/prefix` and the address of a server. @throws UserError where they are none. */
export function s3Address(store: string, endpoint?: string): S3Address {
  const [, bucket, path = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([\w!.*'()/-]*))?$/.exec(store) ?? [];
  const parts = path.split("/").filter((part) => part !== "");
  if (bucket === undefined || parts.some((part) => part === "." || part === "..")) {
    throw new UserError(`--store: expected a bucket and a prefix such as s3://bucket/studies, got "${store}"`);
  }
  if (endpoint !== undefined && httpAddress(endpoint) === undefined) {
    throw new UserError(`--store-endpoint: expected an address such as https://minio.example:9000, got "${endpoint}"`);
  }
  const prefix = parts.map((part) => `${part}/`).join("");
  const at = endpoint === undefined ? "" : ` at ${endpoint}`;
  return { bucket, prefix, endpoint, shown: `s3://${[bucket, ...parts].join("/")}${at}` };
}
