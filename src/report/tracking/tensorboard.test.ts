import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cell, study } from "../../../test/support/study-result.ts";
import { writePng } from "../../data/image-file.ts";
import type { StudyEvent } from "../../study/events.ts";
import { tensorboardTracker } from "./tensorboard.ts";
import { crc32c, maskedCrc } from "./tfevents.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tensorboard-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const bytesOf = (text: string) => Buffer.from(text);

test("checksums are those of RFC 3720, B.4", () => {
  expect(crc32c(bytesOf("123456789"))).toBe(0xe3069283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
});

/** The records of an event file, each checked, by the published format. */
function records(folder: string): Uint8Array[] {
  const [file, ...others] = readdirSync(folder);
  expect([file?.startsWith("events.out.tfevents."), others]).toEqual([true, []]);
  const bytes = readFileSync(join(folder, file!));
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(maskedCrc(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(maskedCrc(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

type Fields = Map<number, (number | bigint | Uint8Array)[]>;

/** The fields of a message, whatever it is. */
function fields(bytes: Uint8Array, fixed32: "float" = "float"): Fields {
  const reader = new BinaryReader(bytes);
  const found: Fields = new Map();
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    const value =
      [() => Number(reader.int64()), () => reader.double(), () => reader.bytes()][wire]?.() ?? reader[fixed32]();
    found.set(field, [...(found.get(field) ?? []), value]);
  }
  return found;
}

/** The values of an event, by tag. */
function valuesOf(record: Uint8Array) {
  const event = fields(record);
  const summary = fields(event.get(5)![0] as Uint8Array);
  const values = (summary.get(1) as Uint8Array[]).map((bytes) => fields(bytes));
  return {
    step: event.get(2)?.[0] ?? 0,
    tags: new Map(values.map((value) => [Buffer.from(value.get(1)![0] as Uint8Array).toString(), value])),
  };
}

const progress = (done: number, metrics: Record<string, number>): StudyEvent => ({
  type: "step-progress",
  step: "target tl-dmi, seed 1",
  id: "target-0",
  ...{ done, total: 2, unit: "epochs", metrics },
});

test("losses stand under their step, numbers and reconstructions under their cell", async () => {
  const warnings: StudyEvent[] = [];
  const tracker = tensorboardTracker(join(root, "board"), (event) => warnings.push(event));
  tracker.events({ type: "study-started", study: "faces", cells: 1, steps: 2 });
  tracker.events(progress(1, { loss: 0.5, score: 0.25 }));
  tracker.events(progress(2, { loss: 0.125 }));
  const one = cell({ run: "cells/tl-dmi-gmi-seed1" });
  const [{ label, identity }] = one.identities as [(typeof one.identities)[0]];
  const size = { channels: 3, height: 4, width: 5 } as const;
  const file = join(root, one.run, "artifacts", "images", String(label), "0.png");
  await writePng(file, new Float32Array(60).fill(0.5), size);
  await tracker.result(study([one]), root);
  await tracker.end("done");

  const [head, first, second] = records(join(root, "board", "faces", "steps", "target tl-dmi, seed 1"));
  expect(Buffer.from(fields(head!).get(3)![0] as Uint8Array).toString()).toBe("brain.Event:2");
  expect(fields(head!).get(1)![0]).toBeCloseTo(Date.now() / 1000, -2);
  const at = valuesOf(first!);
  expect([at.step, at.tags.get("loss")!.get(2), at.tags.get("score")!.get(2)]).toEqual([1, [0.5], [0.25]]);
  expect([valuesOf(second!).step, valuesOf(second!).tags.get("loss")!.get(2)]).toEqual([2, [0.125]]);

  const [, numbers] = records(join(root, "board", "faces", "cells", "tl-dmi-gmi-seed1"));
  const { tags } = valuesOf(numbers!);
  expect(tags.get("attack.top1")!.get(2)![0]).toBeCloseTo(one.attackAccuracy.value, 6);
  const image = fields(tags.get(`reconstruction/${identity}`)!.get(4)![0] as Uint8Array);
  expect([1, 2, 3].map((field) => image.get(field)![0])).toEqual([4, 5, 3]);
  expect(Buffer.from(image.get(4)![0] as Uint8Array)).toEqual(readFileSync(file));
  expect(warnings).toEqual([]);
});

test("a folder that cannot be written is told once, and nothing is thrown", () => {
  writeFileSync(join(root, "file"), "");
  const warnings: StudyEvent[] = [];
  const tracker = tensorboardTracker(join(root, "file"), (event) => warnings.push(event));
  for (const done of [1, 2]) tracker.events(progress(done, { loss: 1 }));
  expect(warnings).toEqual([
    { type: "warning", message: expect.stringMatching(/^--tensorboard .*; the run goes on without it$/) },
  ]);
});
