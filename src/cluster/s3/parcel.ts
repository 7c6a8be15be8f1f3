import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { FileRecord } from "../../study/manifest.ts";
import { type Bucket, DamagedObject } from "./bucket.ts";

/** A folder's files, and the record that lists them. */
export interface Parcel {
  readonly dir: string;
  readonly files: readonly FileRecord[];
  /** The bytes of the record: `<key>.json`. */
  readonly record: Uint8Array;
}

/** Key of a parcel's record. It is put last: what has none was never put whole. */
export function recordKey(key: string): string {
  return `${key}.json`;
}

/**
 * Puts a folder under `key`: its files first, in a place of their own named by the record's content, then the record. So two who put
 * different outcomes of one step never mix their files, and whoever reads a record finds the files that it lists.
 * @param replace over what was put before; otherwise the first stays
 * @returns whether it is what readers get now.
 */
export async function putParcel(
  bucket: Bucket,
  key: string,
  { dir, files, record }: Parcel,
  replace = false,
): Promise<boolean> {
  const place = placeOf(key, record);
  for (const file of files) await bucket.putFile(place + file.path, join(dir, file.path), file);
  let ours = true;
  if (replace) await bucket.put(recordKey(key), record);
  else ours = await bucket.putNew(recordKey(key), record);
  const kept = ours ? record : await bucket.get(recordKey(key));
  if (kept !== undefined) await removeOthers(bucket, key, placeOf(key, kept));
  return ours;
}

/**
 * Brings the files of a parcel into a folder, each verified on the way.
 * @throws DamagedObject where a file is missing or not what the record says, or the record names one outside the folder.
 */
export async function getParcel(bucket: Bucket, key: string, { dir, files, record }: Parcel): Promise<void> {
  const place = placeOf(key, record);
  for (const file of files) {
    if (!isInside(file.path)) {
      throw new DamagedObject(`${bucket.nameOf(recordKey(key))} lists "${file.path}", which is no path within a step`);
    }
    const path = join(dir, file.path);
    await mkdir(dirname(path), { recursive: true });
    await bucket.getFile(place + file.path, path, file);
  }
}

/** Removes a parcel, its record first. */
export async function removeParcel(bucket: Bucket, key: string): Promise<void> {
  await bucket.remove([recordKey(key)]);
  await removeOthers(bucket, key, undefined);
}

function placeOf(key: string, record: Uint8Array): string {
  return `${key}/${createHash("sha256").update(record).digest("hex").slice(0, 16)}/`;
}

/** Removes what earlier attempts put, and those that were cut. */
async function removeOthers(bucket: Bucket, key: string, kept: string | undefined): Promise<void> {
  const all = (await bucket.list(`${key}/`)).map((name) => `${key}/${name}`);
  await bucket.remove(all.filter((name) => kept === undefined || !name.startsWith(kept)));
}

/** Whether a path stays within the folder that it starts from: records come from whoever may write to the bucket. */
function isInside(path: string): boolean {
  const parts = path.split("/");
  return !/[\\\0:]/.test(path) && parts.every((part) => part !== "" && part !== "." && part !== "..");
}
