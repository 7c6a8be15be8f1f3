import { open } from "node:fs/promises";

/** A file of metrics, one JSON object a line, that can be cut back to where a checkpoint left it. */
export interface MetricsLog {
  /** Appends a row; rows keep the order of the calls. NaN and infinities, which JSON has not, are written as text. */
  append(row: Readonly<Record<string, number | string>>): Promise<void>;
  /** Waits until all rows are on disk and gives the file's length in bytes. */
  flush(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Opens a metrics file to go on after its first `keep` bytes; what follows them is cut off.
 * The file is made by the first row, so that a step without metrics has none.
 * @throws Error where the file is shorter than `keep`.
 */
export async function openMetricsLog(path: string, keep: number): Promise<MetricsLog> {
  let length = keep;
  let queue: Promise<unknown> = Promise.resolve();
  let handle = await open(path, "r+").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  });
  const size = handle === undefined ? 0 : (await handle.stat()).size;
  if (size < keep) {
    await handle?.close();
    throw new Error(`${path} has ${size} bytes, but a checkpoint counts on ${keep}`);
  }
  await handle?.truncate(keep);

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = queue.then(work);
    queue = done.catch(() => undefined);
    return done;
  };
  return {
    append: (row) =>
      inTurn(async () => {
        const line = Buffer.from(`${JSON.stringify(row, (_, value: unknown) => written(value))}\n`);
        handle ??= await open(path, "w");
        await handle.write(line, 0, line.length, length);
        length += line.length;
      }),
    flush: () =>
      inTurn(async () => {
        await handle?.datasync();
        return length;
      }),
    close: () =>
      inTurn(async () => {
        await handle?.close();
        handle = undefined;
      }),
  };
}

function written(value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
