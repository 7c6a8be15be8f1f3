import { UserError } from "../../engine/errors.ts";

/** A request that a bucket's server refused or never answered, in words. */
export class StoreError extends UserError {
  override readonly name = "StoreError";
  /** Whether it may pass by itself: a server that is away or busy, a connection that was cut. */
  readonly passing: boolean;
  constructor(message: string, passing: boolean) {
    super(message);
    this.passing = passing;
  }
}

const KEYS = "look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and at what the key may do";

/** What to do about what servers refuse, by the names that S3 gives it. */
const ADVICE: Readonly<Record<string, string>> = {
  NoSuchBucket: "there is no such bucket; make it, or look at --store",
  AccessDenied: `access denied; ${KEYS}`,
  Forbidden: `access denied; ${KEYS}`,
  InvalidAccessKeyId: `the server does not know the access key; ${KEYS}`,
  SignatureDoesNotMatch: `the secret key is wrong; ${KEYS}`,
  ExpiredToken: "the session's token has expired; get a new one",
  CredentialsProviderError: "no access key was found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
  PermanentRedirect: "the bucket is in another region; set AWS_REGION",
  AuthorizationHeaderMalformed: "the bucket is in another region; set AWS_REGION",
  BadDigest:
    "what arrived is not what was sent; the file has changed since it was written, or the way to the server damages it",
  EntityTooLarge: "the server takes no file of this size",
};

const CONNECTION = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EPIPE",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/** Puts what the S3 client threw into words. @param what the object or store that was asked for */
export function storeError(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  const { name, message, code } = partsOf(error);
  if (CONNECTION.has(code)) {
    return new StoreError(
      `${what}: the server cannot be reached (${message || code}); look at --store-endpoint or AWS_ENDPOINT_URL_S3`,
      true,
    );
  }
  if (
    name === "TimeoutError" ||
    name === "AbortError" ||
    message === "aborted" ||
    code === "ERR_STREAM_PREMATURE_CLOSE"
  ) {
    return new StoreError(`${what}: the connection was cut (${message})`, true);
  }
  if (message === "Region is missing") {
    return new StoreError(
      `${what}: no region is set; set AWS_REGION (for a server of your own us-east-1, unless it was told otherwise)`,
      false,
    );
  }
  const status = statusOf(error);
  const advice = Object.hasOwn(ADVICE, name) ? ADVICE[name] : undefined;
  if (advice !== undefined) return new StoreError(`${what}: ${advice}`, false);
  const said = [status, name, message].filter((part) => part !== undefined && part !== "").join(" ");
  return new StoreError(`${what}: ${said}`, status === 429 || (status ?? 0) >= 500);
}

/** The status of the server's answer; undefined where it gave none. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error && "$metadata" in error)) return undefined;
  return (error.$metadata as { readonly httpStatusCode?: number }).httpStatusCode;
}

function partsOf(error: unknown): { readonly name: string; readonly message: string; readonly code: string } {
  // Several addresses of one host fail with several errors and no message.
  if (error instanceof AggregateError && error.errors.length > 0) return partsOf(error.errors[0]);
  if (!(error instanceof Error)) return { name: "", message: String(error), code: "" };
  return { name: error.name, message: error.message, code: "code" in error ? String(error.code) : "" };
}
