import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ModelProto, ModelProtoSchema } from "onnx-buf";
import { afterAll, describe, expect, test } from "vitest";
import { UserError } from "../src/engine/errors.ts";
import { type Rng, random } from "../src/engine/random.ts";
import { weightsOf } from "../src/models/model.ts";
import { onnx } from "../src/models/onnx.ts";
import { busy } from "./support/busy.ts";
import { floats, int64s, type NodeOf, onnxFile } from "./support/onnx-file.ts";
import { smallClassifier } from "./support/small-classifier.ts";

const folder = mkdtempSync(join(tmpdir(), "hostile-"));
const file = join(folder, "hostile.onnx");
afterAll(() => rmSync(folder, { recursive: true }));

/** A classifier with the operators that take sizes from the file: what a wrong number can blow up. */
function shapely(): Uint8Array {
  const nodes: NodeOf[] = [
    ["Constant", [], ["scales"], { value: floats("scales", [4], [1, 1, 1.5, 1.5]) }],
    ["Pad", ["images", "pads"], ["p"], { mode: "reflect" }],
    ["Resize", ["p", "none", "scales"], ["r"], { mode: "linear" }],
    ["ConvTranspose", ["r", "up"], ["t"], { strides: [2, 2], pads: [0, 1, 1, 0], output_padding: [1, 1] }],
    ["AveragePool", ["t"], ["a"], { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }],
    ["MaxPool", ["a"], ["m"], { kernel_shape: [2, 3], dilations: [1, 2], pads: [1, 0, 0, 1] }],
    ["Split", ["m", "parts"], ["s1", "s2"], { axis: 1 }],
    ["Concat", ["s2", "s1"], ["c"], { axis: 1 }],
    ["Shape", ["c"], ["shape"]],
    ["Gather", ["shape", "first"], ["n"], { axis: 0 }],
    ["ConstantOfShape", ["n"], ["zeros"]],
    ["Tile", ["c", "repeats"], ["tiled"]],
    ["Slice", ["tiled", "starts", "ends", "axes", "steps"], ["cut"]],
    ["GlobalAveragePool", ["cut"], ["g"]],
    ["Flatten", ["g"], ["f"], { axis: 1 }],
    ["LayerNormalization", ["f", "scale"], ["l"], { axis: -1 }],
    ["Gemm", ["l", "w"], ["y"], { transB: 1 }],
    ["Add", ["y", "zeros"], ["logits"]],
  ];
  return onnxFile({
    nodes,
    weights: [
      int64s("pads", [8], [0, 0, 1, 1, 0, 0, 1, 1]),
      floats("none", [0], []),
      floats("up", [3, 4, 3, 3], random(1, "up").normals(108)),
      int64s("parts", [2], [1, 3]),
      int64s("first", [1], [0]),
      int64s("repeats", [4], [1, 1, 2, 1]),
      int64s("starts", [1], [-1]),
      int64s("ends", [1], [-(2 ** 40)]),
      int64s("axes", [1], [3]),
      int64s("steps", [1], [-2]),
      floats("scale", [4], [1, 2, 3, 4]),
      floats("w", [1, 4], [1, 2, 3, 4]),
    ],
    inputs: { images: [1, 3, 8, 8] },
    outputs: ["logits"],
  });
}

const SOURCES = [smallClassifier(), smallClassifier({ layout: "nhwc", batch: 1 }), shapely()];

/** Numbers that go wrong most easily. */
const NUMBERS = [0n, -1n, 1n, 2n, 7n, 1000n, 2n ** 31n, -(2n ** 31n), 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)];

const pick = <T>(rng: Rng, list: readonly T[]): T => list[rng.int(list.length)]!;

/** One change of what the file says, that leaves it decodable. */
function changeModel(model: ModelProto, rng: Rng): void {
  const { node, initializer, input, output } = model.graph!;
  const n = pick(rng, node);
  const attributes = node.flatMap((each) => each.attribute);
  const t = pick(rng, [...initializer, ...attributes.flatMap((each) => each.t ?? [])]);
  const a = pick(rng, attributes);
  const changes: (() => void)[] = [
    () => {
      n.input[rng.int(Math.max(n.input.length, 1))] = pick(rng, ["", "nowhere", ...node.flatMap((m) => m.output)]);
    },
    () => void n.input.pop(),
    () => void n.input.push(pick(rng, initializer).name),
    () => {
      n.output[0] = pick(rng, node).output[0]!;
    },
    () => {
      n.opType = pick(rng, [
        ...node.map((m) => m.opType),
        "Loop",
        "constructor",
        "__proto__",
        "Range",
        "Expand",
        "OneHot",
      ]);
    },
    () => {
      n.domain = pick(rng, ["com.microsoft", "ai.onnx.ml", "toString"]);
    },
    () => {
      t.dims[rng.int(Math.max(t.dims.length, 1))] = pick(rng, NUMBERS);
    },
    () => void t.dims.push(pick(rng, NUMBERS)),
    () => {
      t.dataType = rng.int(30);
    },
    () => {
      t.rawData = t.rawData.slice(0, rng.int(t.rawData.length + 1));
    },
    () => {
      if (t.rawData.length > 0) t.rawData[rng.int(t.rawData.length)] = rng.int(256);
    },
    () => {
      t.rawData = t.rawData.map(() => rng.int(256));
    },
    () => {
      t.name = pick(rng, initializer).name;
    },
    () => {
      t.dataLocation = 1;
    },
    () => {
      t.externalData = [
        {
          $typeName: "onnx.StringStringEntryProto",
          key: "location",
          value: pick(rng, ["../secret", "/etc/passwd", "hostile.onnx", ""]),
        },
      ];
    },
    () => {
      a.i = pick(rng, NUMBERS);
    },
    () => {
      a.ints = a.ints.map(() => pick(rng, NUMBERS));
    },
    () => void a.ints.push(pick(rng, NUMBERS)),
    () => void a.ints.pop(),
    () => {
      a.type = rng.int(15);
    },
    () => {
      a.name = pick(rng, attributes).name;
    },
    () => {
      a.f = pick(rng, [Number.NaN, Number.POSITIVE_INFINITY, -1, 1e30]);
    },
    () => void node.reverse(),
    () => void node.splice(rng.int(node.length), 1),
    () => void initializer.splice(rng.int(initializer.length), 1),
    () => {
      model.opsetImport[0]!.version = BigInt(rng.int(40));
    },
    () => {
      output[0]!.name = pick(rng, ["", "images", pick(rng, node).output[0]!, t.name]);
    },
    () => void input.push(...output),
    () => {
      const type = input[0]!.type!.value;
      if (type.case === "tensorType")
        type.value.shape!.dim[rng.int(4)]!.value = { case: "dimValue", value: pick(rng, NUMBERS) };
    },
  ];
  pick(rng, changes)();
}

/** Bytes that are overwritten, cut off, doubled or put in. */
function changeBytes(bytes: Uint8Array, rng: Rng): Uint8Array {
  const at = rng.int(bytes.length);
  const changes: (() => Uint8Array)[] = [
    () => bytes.slice(0, at),
    () => Uint8Array.from([...bytes.slice(0, at), rng.int(256), ...bytes.slice(at)]),
    () => Uint8Array.from([...bytes.slice(0, at), ...bytes.slice(at + 1 + rng.int(20))]),
    () => bytes.map((b, i) => (i === at ? rng.int(256) : b)),
    () => bytes.map((b) => (rng.int(200) === 0 ? rng.int(256) : b)),
    () => Uint8Array.from([...bytes, ...bytes]),
    () => Uint8Array.from({ length: at }, () => rng.int(256)),
  ];
  return pick(rng, changes)();
}

function mutated(seed: number): Uint8Array {
  const rng = random(seed, "hostile");
  const source = pick(rng, SOURCES);
  if (seed % 3 === 0) return changeBytes(source, rng);
  const model = fromBinary(ModelProtoSchema, source);
  for (let change = 0; change <= rng.int(3); change++) changeModel(model, rng);
  return toBinary(ModelProtoSchema, model);
}

const FILES = 600;
/** Of processor time; an import of the unchanged files takes a few milliseconds. */
const SECONDS = 10;
const MEGABYTES = 300;

describe("files that are not what they say", () => {
  test("the unchanged ones are fine", () => {
    for (const [i, source] of SOURCES.entries()) {
      writeFileSync(file, source);
      expect(
        onnx.build(onnx.config.parse({ file }), { input: [3, 8, 8], classes: i === 2 ? 1 : 4 }).features,
      ).toBeGreaterThan(3);
    }
  });

  test(`${FILES} changed files are each imported or refused in one line, soon, with little memory`, () => {
    let refused = 0;
    const before = process.memoryUsage();
    for (let seed = 0; seed < FILES; seed++) {
      writeFileSync(file, mutated(seed));
      const start = process.cpuUsage();
      try {
        weightsOf(onnx.build(onnx.config.parse({ file }), { input: [3, 8, 8], classes: 4 }));
      } catch (error) {
        if (!(error instanceof UserError)) throw new Error(`file ${seed} breaks the import`, { cause: error });
        expect(error.message, `file ${seed}`).toMatch(/^[^\n]{10,1000}$/);
        expect(error.message, `file ${seed}`).toContain("hostile.onnx");
        refused++;
      }
      expect(busy(start), `seconds for file ${seed}`).toBeLessThan(SECONDS);
    }
    const { rss, arrayBuffers } = process.memoryUsage();
    expect((arrayBuffers - before.arrayBuffers) / 2 ** 20).toBeLessThan(MEGABYTES);
    expect((rss - before.rss) / 2 ** 20).toBeLessThan(MEGABYTES);
    // Most changes break a file; the others change numbers alone.
    expect(refused).toBeGreaterThan(FILES / 2);
    expect(refused).toBeLessThan(FILES);
  });
});
