import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cell } from "../../test/support/study-result.ts";
import { openCellRecords } from "./cell-records.ts";
import type { PlannedCell } from "./plan/cells.ts";
import type { Provenance } from "./provenance.ts";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "cell-records-"));
});
afterAll(() => rm(dir, { recursive: true }));

/** What records look at of a planned cell. */
const planned = (id: string, start: "pretrained" | "scratch") =>
  ({
    target: { label: "none", defense: "none", named: {}, defended: { recipe: { start } } },
    attack: "kedmi",
    attackLabel: "kedmi",
    seed: 1,
    evaluation: { id },
  }) as unknown as PlannedCell;

test("a record that does not say so is given out as one from scratch where its cell is that", async () => {
  const records = openCellRecords(dir);
  const kept = { study: "made", result: cell(), seconds: {}, machine: {} as Provenance };
  const [warm, cold] = [planned("aa01", "pretrained"), planned("aa02", "scratch")];
  await records.keep(warm, kept);
  await records.keep(cold, kept);
  expect((await records.find(warm))!.record.result.start).toBeUndefined();
  expect((await records.find(cold))!.record.result.start).toBe("scratch");
});
