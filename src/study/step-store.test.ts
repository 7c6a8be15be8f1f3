import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { UserError } from "../engine/errors.ts";
import type { StudyEvent } from "./events.ts";
import { Interrupted } from "./interrupted.ts";
import { type StepSpec, stepFolder, stepId } from "./step-record.ts";
import { openStepStore, type StepContext, type StepStore } from "./step-store.ts";

const spec: StepSpec = { kind: "target", version: 1, config: { freeze: "layer2", epochs: 6 }, inputs: { data: "d0" } };

/** A store, in a new folder unless `root` names one, with what a test looks at. */
function newStore(options: { root?: string; shipped?: readonly string[]; abort?: AbortController } = {}) {
  const root = options.root ?? join(mkdtempSync(join(tmpdir(), "tldmi-")), "steps");
  const seen: StudyEvent[] = [];
  const { signal } = options.abort ?? new AbortController();
  const shipped = options.shipped === undefined ? {} : { shipped: options.shipped };
  const open = () => openStepStore({ root, ...shipped, events: (event) => seen.push(event), signal });
  // Every call as from a new process.
  const store: StepStore = { run: (...call) => open().run(...call), state: (...call) => open().state(...call) };
  const final = join(root, stepFolder(spec));
  return { root, open, store, seen, types: () => seen.map(({ type }) => type), final, part: `${final}.part` };
}

/** Six epochs: a row each, a checkpoint after every `every`; dies before epoch `dieAt`. */
function training(options: { every?: number; dieAt?: number; death?: () => Error } = {}) {
  const { every = 2, dieAt = Number.POSITIVE_INFINITY, death = () => new Error("killed") } = options;
  const epochs: number[] = [];
  const body = async ({ dir, loadCheckpoint, saveCheckpoint, log, progress }: StepContext) => {
    const saved = await loadCheckpoint("state");
    for (let epoch = (saved?.[0] ?? 0) + 1; epoch <= 6; epoch++) {
      if (epoch === dieAt) throw death();
      epochs.push(epoch);
      await log({ epoch, loss: 1 / epoch });
      if (epoch % every === 0) await saveCheckpoint("state", Uint8Array.of(epoch));
      progress({ done: epoch, total: 6, unit: "epochs" });
    }
    writeFileSync(join(dir, "weights.bin"), "weights");
  };
  return { body, epochs };
}

test("an id follows from kind, version, config and inputs alone, not from the order of keys", () => {
  expect(stepId({ ...spec, config: { epochs: 6, freeze: "layer2" } })).toBe(stepId(spec));
  const others = [{ kind: "prior" }, { version: 2 }, { config: {} }, { inputs: { data: "d1" } }];
  expect(new Set(others.map((other) => stepId({ ...spec, ...other })).concat(stepId(spec))).size).toBe(5);
});

describe("a step that is finished", () => {
  test("has its outputs, a record with the manifest, and nothing else beside it", async () => {
    const { store, root, final, types } = newStore();
    const result = await store.run(spec, "target", training().body);
    expect(result).toMatchObject({ id: stepId(spec), dir: final, reused: false });
    expect(readdirSync(root)).toEqual([stepFolder(spec)]);
    expect(readdirSync(final).sort()).toEqual(["metrics.jsonl", "step.json", "weights.bin"]);
    const record: unknown = JSON.parse(readFileSync(join(final, "step.json"), "utf8"));
    expect(record).toMatchObject({
      schemaVersion: 1,
      id: stepId(spec),
      spec,
      files: [
        { path: "metrics.jsonl" },
        {
          path: "weights.bin",
          bytes: 7,
          // printf weights | sha256sum
          sha256: "9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c",
        },
      ],
    });
    expect(types().filter((type) => type !== "step-progress")).toEqual(["step-started", "step-finished"]);
  });

  test("is not computed again, by this store or another on the same folder", async () => {
    const { store, open } = newStore();
    const first = open();
    await first.run(spec, "target", training().body);
    for (const again of [first, store]) {
      const { body, epochs } = training();
      expect(await again.run(spec, "target", body)).toMatchObject({ id: stepId(spec), reused: true });
      expect(epochs).toEqual([]);
    }
  });

  test("is computed once where two ask for it at the same time", async () => {
    const store = newStore().open();
    const { body, epochs } = training();
    const results = await Promise.all([store.run(spec, "a", body), store.run(spec, "b", body)]);
    expect(results.map(({ reused }) => reused)).toEqual([false, true]);
    expect(epochs).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("is found in whichever shipped store has it, and that store is left as it is", async () => {
    const shipped = newStore();
    await shipped.store.run(spec, "target", training().body);
    const { store, root, seen } = newStore({ shipped: [join(shipped.root, "none"), shipped.root] });
    expect(await store.state(spec)).toBe("shipped");
    expect(await store.run(spec, "target", training().body)).toMatchObject({ dir: shipped.final, reused: true });
    expect(existsSync(root)).toBe(false);
    expect(seen).toMatchObject([{ type: "step-finished", source: "shipped" }]);
  });

  test.each([
    ["a file is missing", (dir: string) => rmSync(join(dir, "weights.bin")), "weights.bin is missing"],
    ["a file was cut", (dir: string) => writeFileSync(join(dir, "weights.bin"), "wei"), "has 3 bytes instead of 7"],
    [
      "its record is cut",
      (dir: string) => writeFileSync(join(dir, "step.json"), '{"schema'),
      "step.json is missing or not whole",
    ],
    ["its record is gone", (dir: string) => rmSync(join(dir, "step.json")), "step.json is missing or not whole"],
  ])("is computed anew with a warning where %s", async (_, damage, why) => {
    const { store, final, seen } = newStore();
    await store.run(spec, "target", training().body);
    damage(final);
    expect(await store.state(spec)).toBe("to do");
    seen.length = 0;
    expect(await store.run(spec, "target", training().body)).toMatchObject({ reused: false });
    expect(seen[0]).toMatchObject({ type: "warning", message: expect.stringContaining(why) });
    expect(seen.filter(({ type }) => type === "warning")).toHaveLength(1);
    expect(readFileSync(join(final, "weights.bin"), "utf8")).toBe("weights");
  });

  test("of another config under its folder's name is not taken for it", async () => {
    const { store, final } = newStore();
    await store.run(spec, "target", training().body);
    const record = readFileSync(join(final, "step.json"), "utf8");
    writeFileSync(join(final, "step.json"), record.replace('"layer2"', '"layer3"'));
    expect(await store.state(spec)).toBe("to do");
  });
});

describe("a step that fails", () => {
  test("leaves no finished-looking folder, and resumes from its checkpoint", async () => {
    const { store, final, part, seen, types } = newStore();
    await expect(store.run(spec, "target", training({ dieAt: 6 }).body)).rejects.toThrow("killed");
    expect([existsSync(final), existsSync(part), await store.state(spec)]).toEqual([false, true, "resumes"]);
    expect(types().at(-1)).toBe("step-failed");
    seen.length = 0;
    const { body, epochs } = training();
    await store.run(spec, "target", body);
    expect(epochs).toEqual([5, 6]);
    expect(seen[0]).toMatchObject({ type: "step-started", resumed: true });
    expect(existsSync(part)).toBe(false);
  });

  test("begins anew without a checkpoint, and keeps nothing of the first attempt", async () => {
    const { store, final, part } = newStore();
    const leaving = async ({ dir }: StepContext) => {
      writeFileSync(join(dir, "left-over.png"), "x");
      throw new Error("killed");
    };
    await expect(store.run(spec, "target", leaving)).rejects.toThrow("killed");
    expect(existsSync(part)).toBe(true);
    expect(await store.state(spec)).toBe("to do");
    await store.run(spec, "target", training().body);
    expect(readdirSync(final).sort()).toEqual(["metrics.jsonl", "step.json", "weights.bin"]);
  });

  test("has the same files in the end as one that never failed, wherever it died", async () => {
    const unbroken = newStore();
    await unbroken.store.run(spec, "target", training().body);
    const files = (dir: string) =>
      readdirSync(dir)
        .filter((name) => name !== "step.json")
        .map((name) => [name, readFileSync(join(dir, name), "utf8")]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (deaths, every) => {
          const { store, final } = newStore();
          for (const dieAt of deaths) {
            await store.run(spec, "target", training({ every, dieAt }).body).catch(() => undefined);
          }
          await store.run(spec, "target", training({ every }).body);
          expect(files(final)).toEqual(files(unbroken.final));
        },
      ),
      { numRuns: 30 },
    );
  });

  test("cuts rows that a killed process logged after the last checkpoint, a half-written one among them", async () => {
    const { store, final, part } = newStore();
    await expect(store.run(spec, "target", training({ dieAt: 4 }).body)).rejects.toThrow();
    writeFileSync(join(part, "metrics.jsonl"), '{"epoch":3', { flag: "a" });
    writeFileSync(join(part, ".weights.bin.0f.tmp"), "half");
    await store.run(spec, "target", training().body);
    const rows = readFileSync(join(final, "metrics.jsonl"), "utf8")
      .trimEnd()
      .split("\n")
      .map((row) => JSON.parse(row) as unknown);
    expect(rows).toEqual([1, 2, 3, 4, 5, 6].map((epoch) => ({ epoch, loss: 1 / epoch })));
    expect(readdirSync(final)).not.toContain(".weights.bin.0f.tmp");
  });

  test.each([
    ["a cut checkpoint", (part: string) => writeFileSync(join(part, "checkpoint", "state"), "TLDC")],
    [
      "a checkpoint with a bit turned",
      (part: string) => {
        const file = join(part, "checkpoint", "state");
        const bytes = readFileSync(file);
        bytes[bytes.length - 1]! ^= 1;
        writeFileSync(file, bytes);
      },
    ],
    ["metrics shorter than the checkpoint says", (part: string) => writeFileSync(join(part, "metrics.jsonl"), "")],
  ])("begins anew with a warning where it finds %s", async (_, damage) => {
    const { store, part, seen } = newStore();
    await expect(store.run(spec, "target", training({ dieAt: 5 }).body)).rejects.toThrow();
    damage(part);
    const { body, epochs } = training();
    await store.run(spec, "target", body);
    expect(epochs).toEqual([1, 2, 3, 4, 5, 6]);
    expect(seen).toContainEqual({
      type: "warning",
      step: "target",
      message: expect.stringMatching(/^target begins anew: /),
    });
  });

  test("is not tried again by the same store: all who need it get the same error", async () => {
    const { open, types } = newStore();
    const store = open();
    const { body, epochs } = training({ dieAt: 2 });
    await expect(store.run(spec, "target", body)).rejects.toThrow("killed");
    await expect(store.run(spec, "target", body)).rejects.toThrow("killed");
    expect(epochs).toEqual([1]);
    expect(types().filter((type) => type === "step-failed")).toHaveLength(1);
  });

  test("of a user's mistake passes the mistake on", async () => {
    const death = () => new UserError("loss is NaN at epoch 3");
    await expect(newStore().store.run(spec, "target", training({ dieAt: 3, death }).body)).rejects.toBeInstanceOf(
      UserError,
    );
  });
});

describe("a step that is interrupted", () => {
  test("throws Interrupted, whatever abort error the body gave, and resumes", async () => {
    const abort = new AbortController();
    const { store, root, types } = newStore({ abort });
    const death = () => {
      abort.abort();
      return new DOMException("stopped", "AbortError");
    };
    await expect(store.run(spec, "target", training({ dieAt: 4, death }).body)).rejects.toBeInstanceOf(Interrupted);
    expect(types().at(-1)).toBe("step-interrupted");
    expect(readdirSync(root)).toEqual([`${stepFolder(spec)}.part`]);
    const { body, epochs } = training();
    await newStore({ root }).store.run(spec, "target", body);
    expect(epochs).toEqual([3, 4, 5, 6]);
  });

  test("before it began is not begun", async () => {
    const abort = new AbortController();
    abort.abort();
    const { store, root } = newStore({ abort });
    await expect(store.run(spec, "target", training().body)).rejects.toBeInstanceOf(Interrupted);
    expect(existsSync(root)).toBe(false);
  });

  test("between its record and its final name is only renamed", async () => {
    const { store, final, part } = newStore();
    await store.run(spec, "target", training().body);
    renameSync(final, part);
    const { body, epochs } = training();
    expect(await store.run(spec, "target", body)).toMatchObject({ reused: true, dir: final });
    expect(epochs).toEqual([]);
  });
});

test("a step that another store is at is waited for, and computed once", async () => {
  const { store, root, types } = newStore();
  let go: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const first = store.run(spec, "target", () => gate);
  await vi.waitFor(() => expect(types()).toContain("step-started"));
  const other = newStore({ root });
  const { body, epochs } = training();
  const second = other.store.run(spec, "target", body);
  await vi.waitFor(() => expect(other.types()).toContain("warning"));
  expect(other.seen[0]).toMatchObject({
    message: `target: waiting for process ${process.pid} on ${hostname()}, which is at it`,
  });
  go();
  await first;
  expect(await second).toMatchObject({ reused: true });
  expect(epochs).toEqual([]);
});

test("a number that JSON has not is logged as text", async () => {
  const { store, final } = newStore();
  await store.run(spec, "target", ({ log }) => log({ epoch: 1, loss: Number.NaN }));
  expect(readFileSync(join(final, "metrics.jsonl"), "utf8")).toBe('{"epoch":1,"loss":"NaN"}\n');
});
