import { randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { assetsFolder } from "../../study/assets.ts";
import type { RunStore } from "../run-store.ts";
import { findShipped } from "../shipped.ts";
import type { S3Address } from "./address.ts";
import { openBucket } from "./bucket.ts";
import { StoreError } from "./failure.ts";
import { recordKey } from "./parcel.ts";
import { openSharedSteps, parseStepRecord, stepKey } from "./shared-steps.ts";

const STORE_ID = "store-id";
const STEPS = "steps/";

/**
 * Opens a run store in a bucket of S3 or a compatible server. Machines that meet there share no folder: each computes in its own `runsDir`.
 * @param progressEvery milliseconds between two uploads of a step's progress; a minute where it is left out
 */
export function openS3Store(address: S3Address, runsDir: string, progressEvery?: number): RunStore {
  const bucket = openBucket(address);
  const gridKey = (name: string) => `grids/${name}.json`;
  return {
    shown: address.shown,
    async queueName() {
      await bucket.putNew(STORE_ID, Buffer.from(`${randomUUID().slice(0, 8)}\n`));
      const id = Buffer.from((await bucket.get(STORE_ID)) ?? [])
        .toString("utf8")
        .trim();
      if (!/^[0-9a-f]{8}$/.test(id)) {
        const what = `${bucket.nameOf(STORE_ID)}: expected eight hexadecimal digits; delete it while no grid and no worker runs`;
        throw new StoreError(what, false);
      }
      return `tldmi-${id}`;
    },
    writeGrid: (name, text) => bucket.put(gridKey(name), Buffer.from(text)),
    async readGrid(name) {
      const bytes = await bucket.get(gridKey(name));
      return bytes && Buffer.from(bytes).toString("utf8");
    },
    endGrid: (name) => bucket.remove([gridKey(name)]),
    finished: {
      async find(folder) {
        const shipped = await findShipped(folder);
        if (shipped !== undefined) return shipped;
        const record = await bucket.get(recordKey(stepKey(folder)));
        const found = record && parseStepRecord(record, folder);
        return found && { seconds: found.seconds, source: "store" };
      },
      async names() {
        const records = await bucket.list(STEPS, true);
        const folders = records.flatMap((key) => (key.endsWith(".json") ? [key.slice(0, -".json".length)] : []));
        return new Set([...folders, ...(await readdir(assetsFolder).catch(() => []))]);
      },
    },
    openSteps: (options) =>
      openSharedSteps({ ...options, runsDir, bucket, ...(progressEvery !== undefined && { progressEvery }) }),
  };
}
