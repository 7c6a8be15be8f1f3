import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import type { S3Address } from "./address.ts";
import { StoreError, statusOf, storeError } from "./failure.ts";

/** Bytes of one object at most, without uploads in parts: S3's own limit. */
const LARGEST = 5 * 1024 ** 3;
/** Keys that one request may remove. */
const AT_ONCE = 1000;
/** Milliseconds to make a connection, and those for which one may be silent. */
const CONNECT = 10_000;
const SILENCE = 60_000;
/** What goes wrong is said once, by whoever asked. */
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** What a file must be: its length, and its SHA-256 as 64 hexadecimal digits. */
export interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

/** An object that is not what was written, or is missing where it must be. */
export class DamagedObject extends Error {
  override readonly name = "DamagedObject";
}

/** A part of a bucket, by the few requests that a run store needs. Keys begin after its prefix. All throw StoreError. */
export interface Bucket {
  readonly shown: string;
  /** The name of an object, for messages. */
  nameOf(key: string): string;
  /** A small object's bytes; undefined where there is none. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Brings an object to a file, verified on the way. @throws DamagedObject where it isn't what `facts` say. */
  getFile(key: string, path: string, facts: FileFacts): Promise<void>;
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Puts an object where there is none yet; false where there is one. */
  putNew(key: string, bytes: Uint8Array): Promise<boolean>;
  /** Puts a file; a server that knows checksums refuses it where what arrives isn't what `facts` say. */
  putFile(key: string, path: string, facts: FileFacts): Promise<void>;
  /** Keys that begin with `start`, after it. @param flat leaves out those with a slash after `start` */
  list(start: string, flat?: boolean): Promise<string[]>;
  remove(keys: readonly string[]): Promise<void>;
}

/**
 * Opens a part of a bucket; nothing is asked of the server yet. Region, keys and endpoint come from where the AWS SDK finds them. A server
 * of one's own is asked by path (`/bucket/key`), which all of them know.
 */
export function openBucket(address: S3Address): Bucket {
  const { bucket, prefix, endpoint, shown } = address;
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  // The pinned version runs on this Node; which later ones will is nothing that a worker could act on.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const own = endpoint ?? AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL;
  const client = new S3Client({
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: own !== undefined,
    // Each file's SHA-256 goes with it and is compared when it comes back; checksums of the SDK's own are unknown to older servers.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    logger: SILENT,
    requestHandler: { connectionTimeout: CONNECT, socketTimeout: SILENCE },
  });
  const nameOf = (key: string) => `s3://${bucket}/${prefix}${key}${endpoint === undefined ? "" : ` at ${endpoint}`}`;
  const place = (key: string) => ({ Bucket: bucket, Key: prefix + key });

  async function asked<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof DamagedObject ? error : storeError(error, what);
    }
  }

  /** The answer; undefined where there is no such object. */
  async function open(key: string): Promise<Readable | undefined> {
    try {
      const { Body } = await client.send(new GetObjectCommand(place(key)));
      return Body as Readable | undefined;
    } catch (error) {
      if (error instanceof Error && error.name === "NoSuchKey") return undefined;
      throw error;
    }
  }

  const put = (key: string, bytes: Uint8Array, onlyNew: boolean) =>
    client.send(
      new PutObjectCommand({
        ...place(key),
        Body: bytes,
        ChecksumSHA256: createHash("sha256").update(bytes).digest("base64"),
        ...(onlyNew && { IfNoneMatch: "*" }),
      }),
    );

  return {
    shown,
    nameOf,
    get: (key) =>
      asked(nameOf(key), async () => {
        const body = await open(key);
        return body && Buffer.concat(await body.toArray());
      }),
    getFile: (key, path, { bytes, sha256 }) =>
      asked(nameOf(key), async () => {
        const body = await open(key);
        if (body === undefined) throw new DamagedObject(`${nameOf(key)} is missing`);
        const hash = createHash("sha256");
        let length = 0;
        body.on("data", (chunk: Uint8Array) => {
          hash.update(chunk);
          length += chunk.byteLength;
        });
        await pipeline(body, createWriteStream(path));
        if (length !== bytes) throw new DamagedObject(`${nameOf(key)} has ${length} bytes instead of ${bytes}`);
        if (hash.digest("hex") !== sha256) throw new DamagedObject(`${nameOf(key)} has other content than was written`);
      }),
    put: (key, bytes) => asked(nameOf(key), async () => void (await put(key, bytes, false))),
    putNew: (key, bytes) =>
      asked(nameOf(key), async () => {
        try {
          await put(key, bytes, true);
          return true;
        } catch (error) {
          // 409: another one is being put this instant.
          if (statusOf(error) === 412 || statusOf(error) === 409) return false;
          throw error;
        }
      }),
    putFile: (key, path, { bytes, sha256 }) =>
      asked(nameOf(key), async () => {
        if (bytes > LARGEST)
          throw new StoreError(`${path}: has ${bytes} bytes; a bucket takes files of up to 5 GiB`, false);
        const body = createReadStream(path);
        try {
          const ChecksumSHA256 = Buffer.from(sha256, "hex").toString("base64");
          await client.send(new PutObjectCommand({ ...place(key), Body: body, ContentLength: bytes, ChecksumSHA256 }));
        } finally {
          body.destroy();
        }
      }),
    list: (start, flat = false) =>
      asked(nameOf(start), async () => {
        const keys: string[] = [];
        let next: string | undefined;
        do {
          const page = await client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix + start,
              ...(flat && { Delimiter: "/" }),
              ...(next !== undefined && { ContinuationToken: next }),
            }),
          );
          for (const { Key = "" } of page.Contents ?? []) keys.push(Key.slice(prefix.length + start.length));
          next = page.NextContinuationToken;
        } while (next !== undefined);
        return keys;
      }),
    remove: (keys) =>
      asked(shown, async () => {
        for (let from = 0; from < keys.length; from += AT_ONCE) {
          const Objects = keys.slice(from, from + AT_ONCE).map((key) => ({ Key: prefix + key }));
          const { Errors = [] } = await client.send(
            new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
          );
          const [first] = Errors;
          if (first !== undefined) throw Object.assign(new Error(first.Message), { name: first.Code ?? "" });
        }
      }),
  };
}
