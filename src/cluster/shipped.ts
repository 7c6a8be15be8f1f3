import { join } from "node:path";
import { assetsFolder } from "../study/assets.ts";
import { secondsOfStep } from "../study/step-record.ts";
import type { FinishedStep } from "./run-store.ts";

/** A finished step that came with the package; undefined where none of that name did. */
export async function findShipped(folder: string): Promise<FinishedStep | undefined> {
  const seconds = await secondsOfStep(join(assetsFolder, folder));
  return seconds === undefined ? undefined : { seconds, source: "shipped" };
}
