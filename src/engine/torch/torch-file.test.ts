import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { UserError } from "../errors.ts";
import { openWeights, readWeightFile } from "../weight-file.ts";
import { stateDictOf, torchNames } from "./storages.ts";
import { PickledName } from "./unpickle.ts";

const file = (name: string) => fileURLToPath(new URL(`../../../test/golden/torch/${name}`, import.meta.url));
const read = async (name: string) => {
  const { tensors } = await readWeightFile(file(name));
  return Object.fromEntries([...tensors].map(([key, t]) => [key, { shape: t.shape, data: Array.from(t.read().data) }]));
};

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

/** The tensors of types.pth and types-legacy.pth, as golden/README.md describes them. */
const TYPES = {
  float32: { shape: [2, 3, 4], data: upTo(24) },
  float64: { shape: [3], data: [1.5, -2.25, Math.fround(1e-3)] },
  float16: { shape: [4], data: [1.5, -2.25, 2 ** -24, 65504] },
  bfloat16: { shape: [3], data: [1.5, -2.25, Math.fround(3.0039e38)] },
  int64: { shape: [2], data: [-5, 2 ** 40] },
  int32: { shape: [2], data: [-5, 7] },
  int16: { shape: [2], data: [-5, 700] },
  int8: { shape: [2], data: [-5, 7] },
  uint8: { shape: [2], data: [5, 250] },
  bool: { shape: [2], data: [1, 0] },
  scalar: { shape: [], data: [3] },
  empty: { shape: [0, 3], data: [] },
  shared: { shape: [2, 3, 4], data: upTo(24) },
  transposed: { shape: [4, 2, 3], data: upTo(24).map((i) => (i % 6) * 4 + Math.floor(i / 6)) },
  row: { shape: [4], data: [20, 21, 22, 23] },
  "every.second": { shape: [2, 3, 2], data: upTo(12).map((i) => 2 * i) },
  expanded: { shape: [2, 3], data: [1, 1, 1, 2, 2, 2] },
  parameter: { shape: [2], data: [7, 8] },
};

describe("what torch.save writes", () => {
  test.each(["types.pth", "types-legacy.pth"])("%s: every type of number, shared and strided tensors", async (name) => {
    const got = await read(name);
    expect(Object.keys(got)).toEqual(Object.keys(TYPES));
    for (const [key, wanted] of Object.entries(TYPES)) {
      expect(got[key]!.shape, key).toEqual(wanted.shape);
      if (key === "bfloat16") expect(got[key]!.data[2]! / wanted.data[2]!).toBeCloseTo(1, 3);
      else expect(got[key]!.data, key).toEqual(wanted.data);
    }
  });

  test("a checkpoint's state dict is found beside its optimiser, arguments and counters", async () => {
    const got = await read("checkpoint.tar");
    expect(Object.keys(got)).toEqual([
      "module.conv.weight",
      "module.conv.bias",
      "module.bn.weight",
      "module.bn.bias",
      "module.bn.running_mean",
      "module.bn.running_var",
      "module.bn.num_batches_tracked",
    ]);
    expect(got["module.conv.weight"]!.shape).toEqual([2, 1, 2, 2]);
    expect(got["module.bn.num_batches_tracked"]!.data).toEqual([1]);
  });

  test.each([
    [
      "whole-module.pt",
      "it asks for the Python object torch.nn.modules.container.Sequential, which no state dict needs",
    ],
    ["program.pt", "it is a TorchScript program; save the weights alone"],
    ["list.pth", "it holds a list, not a state dict"],
  ])("%s is refused: %s", async (name, message) => {
    await expect(read(name)).rejects.toThrow(UserError);
    await expect(read(name)).rejects.toThrow(`${file(name)}: not a readable PyTorch file: ${message}`);
  });
});

describe("where a dictionary keeps its weights", () => {
  const refuse = (what: string): never => {
    throw new UserError(what);
  };
  const names = torchNames(refuse);
  const tensor = () => {
    const storage = names.persistent(["storage", new PickledName("torch.FloatStorage"), "0", "cpu", 1]);
    return names.calls.get("torch._utils._rebuild_tensor_v2")!([storage, 0, [1], [1]]);
  };
  const keysOf = (root: Map<string, unknown>) => [
    ...stateDictOf(root, () => ({ bytes: new Uint8Array(4), littleEndian: true }), refuse).keys(),
  ];
  const dict = (entries: Record<string, unknown>) => new Map(Object.entries(entries));

  test("tensors beside a state dict are no weights", () => {
    const state = dict({ "fc.weight": tensor(), "fc.bias": tensor() });
    expect(keysOf(dict({ epoch: 3, best_acc1: tensor(), state_dict: state }))).toEqual(["fc.weight", "fc.bias"]);
    expect(keysOf(dict({ loss: tensor(), model: dict({ step: tensor(), module: state }) }))).toEqual([
      "fc.weight",
      "fc.bias",
    ]);
  });

  test("a usual key without tensors is passed over, for another one or for the dictionary itself", () => {
    const state = dict({ "fc.weight": tensor() });
    expect(keysOf(dict({ state_dict: dict({}), model: state }))).toEqual(["fc.weight"]);
    expect(keysOf(dict({ w: tensor(), params: dict({ lr: 0.1 }), encoder: "resnet" }))).toEqual(["w"]);
  });

  test("one that has none is told of by what its usual keys lead to", () => {
    expect(() => keysOf(dict({}))).toThrow("its dictionary is empty");
    expect(() => keysOf(dict({ model: dict({ state: dict({}), lr: 0.1 }) }))).toThrow(
      "no tensors and no state dict under state_dict, model_state_dict, model_state, model, net, …; its keys are state, lr",
    );
  });
});

/** A pickle as PyTorch's older files begin, then one of the caller's. */
const legacy = (...program: readonly Uint8Array[]): Buffer => {
  const magic = Buffer.from("80028a0a6cfc9c46f9206aa850192e", "hex");
  const protocol = Buffer.from("80024de9032e", "hex");
  const system = Buffer.from("80027d2e", "hex");
  return Buffer.concat([magic, protocol, system, Buffer.of(0x80, 2), ...program]);
};

describe("hostile pickles execute nothing and are refused", () => {
  test.each([
    ["os.system by GLOBAL and REDUCE", ["cposix\nsystem\n", "X\x09\0\0\0", "echo boom", "\x85R."], "posix.system"],
    ["eval", ["c__builtin__\neval\n", "X\x05\0\0\0", "1 + 1", "\x85R."], "__builtin__.eval"],
    ["exec by STACK_GLOBAL", ["\x8c\x08", "builtins", "\x8c\x04", "exec", "\x93)R."], "builtins.exec"],
    ["getattr", ["cbuiltins\ngetattr\n."], "builtins.getattr"],
    ["a pickle in a pickle", ["ctorch.storage\n_load_from_bytes\n."], "torch.storage._load_from_bytes"],
    ["torch.load", ["ctorch\nload\n."], "torch.load"],
    ["a relative of an allowed name", ["ctorch\nFloatStorage.from_file\n."], "torch.FloatStorage.from_file"],
    ["JavaScript's own names", ["c__proto__\nconstructor\n)R."], "__proto__.constructor"],
    ["runpy", ["crunpy\nrun_path\n."], "runpy.run_path"],
  ])("%s", (_what, program, name) => {
    const bytes = legacy(...program.map(bin));
    expect(() => openWeights(bytes, "evil.pth")).toThrow(
      `evil.pth: not a readable PyTorch file: it asks for the Python object ${name}, which no state dict needs; nothing of it was executed`,
    );
  });

  test.each([
    ["INST, which calls by name", "(i", "its pickle has opcode 0x69"],
    ["OBJ", "(o", "its pickle has opcode 0x6f"],
    ["EXT1, a registered object", "\x82\x01", "its pickle has opcode 0x82"],
    ["NEWOBJ_EX", "\x92", "its pickle has opcode 0x92"],
    ["a text of protocol 0", "S'x'\n.", "its pickle has opcode 0x53"],
    ["a name that is called though it only is a value", "ctorch\nFloatStorage\n)R.", "its pickle is damaged"],
    ["a memo that holds nothing", "h\x07.", "its pickle is damaged"],
    ["an empty stack", ".", "its pickle is damaged"],
    ["items without a mark", "}s.", "its pickle is damaged"],
    ["a text longer than the file", "X\xff\xff\xff\x7f", "it ends at byte"],
    ["no end", "}", "it ends at byte"],
    ["a number of four gigabytes", "\x8b\xff\xff\xff\xff", "a number in it has"],
    ["another protocol", "\x80\x09}.", "its pickle has protocol 9"],
  ])("%s", (_what, program, message) => {
    expect(() => openWeights(legacy(bin(program)), "bad.pth")).toThrow(
      `bad.pth: not a readable PyTorch file: ${message}`,
    );
    expect(() => openWeights(legacy(bin(program)), "bad.pth")).toThrow(UserError);
  });

  test("a state dict that contains itself ends", () => {
    // {} under its own key "model"
    const program = bin("}q\x00X\x05\0\0\0modelh\x00s.\x80\x02].");
    expect(() => openWeights(legacy(program), "loop.pth")).toThrow("its state dict lies in too many dictionaries");
  });

  test("a tensor that would reach beyond its storage is told before it is read", async () => {
    const bytes = Buffer.from(await readFile(file("types-legacy.pth")));
    // The shape [2, 3, 4] of the first tensor becomes [2, 3, 200].
    const shape = Buffer.from("4b024b034b0487", "hex");
    const at = bytes.indexOf(shape);
    expect(at).toBeGreaterThan(0);
    bytes[at + 5] = 200;
    expect(() => openWeights(bytes, "far.pth")).toThrow(
      "a tensor of shape 2×3×200 in it reaches beyond the 24 numbers",
    );
  });
});

/** Text as the bytes of its characters. */
function bin(text: string): Buffer {
  return Buffer.from(text, "latin1");
}
