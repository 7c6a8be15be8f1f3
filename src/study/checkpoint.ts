import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { writeFileAtomic } from "../engine/atomic-file.ts";

/** What a checkpoint remembers beside the body's own bytes. */
export interface CheckpointHead {
  /** Length of the step's metrics file when the checkpoint was made, in bytes: rows after it come again. */
  readonly metricsBytes: number;
  /** Wall time that the step had taken by then over all its sessions, in seconds. */
  readonly seconds: number;
}

const MAGIC = 0x544c4432; // "TLD2"
const HEAD_BYTES = 32;

/** Writes a checkpoint: head and content in one file, so that no kill can leave one without the other. */
export async function writeCheckpoint(path: string, head: CheckpointHead, content: Uint8Array): Promise<void> {
  const bytes = new Uint8Array(HEAD_BYTES + content.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(4, crc32(content));
  view.setFloat64(8, head.metricsBytes);
  view.setFloat64(16, head.seconds);
  view.setFloat64(24, content.byteLength);
  bytes.set(content, HEAD_BYTES);
  await writeFileAtomic(path, bytes);
}

/** The content of a checkpoint, or undefined where there is none of that name. */
export async function readCheckpoint(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path)).slice(HEAD_BYTES);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * The newest head of the checkpoints in a folder; undefined where there are none.
 * @throws Error where a file in it is no whole checkpoint.
 */
export async function newestHead(dir: string): Promise<CheckpointHead | undefined> {
  const names = await readdir(dir).catch(() => []);
  let newest: CheckpointHead | undefined;
  for (const name of names) {
    const head = await readHead(join(dir, name));
    if (newest === undefined || head.seconds > newest.seconds) newest = head;
  }
  return newest;
}

async function readHead(path: string): Promise<CheckpointHead> {
  const bytes = await readFile(path);
  const content = bytes.subarray(HEAD_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isWhole =
    bytes.byteLength >= HEAD_BYTES &&
    view.getUint32(0) === MAGIC &&
    view.getFloat64(24) === content.byteLength &&
    view.getUint32(4) === crc32(content);
  if (!isWhole) throw new Error(`${path} is no whole checkpoint`);
  return { metricsBytes: view.getFloat64(8), seconds: view.getFloat64(16) };
}
