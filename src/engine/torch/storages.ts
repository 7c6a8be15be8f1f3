import { STORED_NUMBERS, type StoredNumber } from "../stored-number.ts";
import { reach, readStored, rowMajor, type StoredTensor } from "../stored-tensor.ts";
import { OpaqueValue, PickledName, type PickleNames } from "./unpickle.ts";

/** A block of numbers that tensors of a PyTorch file share, found once its bytes are known. */
export interface TorchStorage {
  readonly type: StoredNumber;
  readonly count: number;
  /** Where the numbers begin within the block `key`; only old files have views of a block. */
  readonly key: string;
  readonly offset: number;
}

/** Gives a block's bytes, at least `length` of them. */
export type StorageBytes = (
  key: string,
  length: number,
) => { readonly bytes: Uint8Array; readonly littleEndian: boolean };

/** PyTorch's storage classes, by their names in files. */
const STORAGE_TYPES: ReadonlyMap<string, string> = new Map([
  ["FloatStorage", "F32"],
  ["HalfStorage", "F16"],
  ["BFloat16Storage", "BF16"],
  ["DoubleStorage", "F64"],
  ["LongStorage", "I64"],
  ["IntStorage", "I32"],
  ["ShortStorage", "I16"],
  ["CharStorage", "I8"],
  ["ByteStorage", "U8"],
  ["BoolStorage", "BOOL"],
]);

/** Calls whose results hold no weight: they are passed over. */
const PASSED_OVER = [
  "torch.Size",
  "torch.device",
  "numpy.dtype",
  "numpy.core.multiarray.scalar",
  "numpy._core.multiarray.scalar",
  "numpy.core.multiarray._reconstruct",
  "numpy._core.multiarray._reconstruct",
  "numpy.ndarray",
  "_codecs.encode",
  "argparse.Namespace",
] as const;

const DTYPES = [
  "float16",
  "bfloat16",
  "float32",
  "float64",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "bool",
] as const;

/** A tensor as a pickle has it: its storage is looked up when it is read. */
class TorchTensor {
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** What state dicts are made of. Nothing that is named here is executed: calls are answered by plain functions of this file. */
export function torchNames(fail: (what: string) => never): PickleNames {
  const isWhole = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
  const wholes = (x: unknown): number[] =>
    Array.isArray(x) && x.every(isWhole) ? (x as number[]) : fail("a tensor in it has no shape in whole numbers");
  const rebuild = (args: readonly unknown[]): TorchTensor => {
    const [storage, offset, size, stride] = args;
    if (!isStorage(storage) || !isWhole(offset)) return fail("a tensor in it has no storage");
    const [shape, strides] = [wholes(size), stride === undefined ? rowMajor(wholes(size)) : wholes(stride)];
    if (shape.length !== strides.length) fail("a tensor in it has not one stride an axis");
    if (reach(shape, strides, offset) > storage.count) {
      fail(`a tensor of shape ${shape.join("×")} in it reaches beyond the ${storage.count} numbers of its storage`);
    }
    return new TorchTensor(storage, offset, shape, strides);
  };
  const pairs = (args: readonly unknown[]) => {
    const [items = []] = args;
    if (!Array.isArray(items) || !items.every((p) => Array.isArray(p) && p.length === 2)) {
      return fail("a dictionary in it is not made of pairs");
    }
    return new Map<unknown, unknown>(items as [unknown, unknown][]);
  };
  const first = ([value]: readonly unknown[]) => value;
  return {
    calls: new Map<string, (args: readonly unknown[]) => unknown>([
      ["collections.OrderedDict", pairs],
      ["collections.defaultdict", () => new Map()],
      ["torch._utils._rebuild_tensor", rebuild],
      ["torch._utils._rebuild_tensor_v2", rebuild],
      ["torch._utils._rebuild_parameter", first],
      ["torch._utils._rebuild_parameter_with_state", first],
      ...PASSED_OVER.map((name) => [name, () => new OpaqueValue(name)] as const),
    ]),
    values: new Set([
      ...[...STORAGE_TYPES.keys()].map((name) => `torch.${name}`),
      ...DTYPES.map((name) => `torch.${name}`),
      "builtins.int",
      "builtins.list",
    ]),
    persistent(id) {
      const [tag, storageType, key, , count, view] = Array.isArray(id) ? (id as unknown[]) : [];
      const type = storageType instanceof PickledName ? storageType.name.replace(/^torch\./, "") : "";
      const number = STORED_NUMBERS.get(STORAGE_TYPES.get(type));
      if (tag !== "storage" || number === undefined || !isWhole(count) || !["string", "number"].includes(typeof key)) {
        return fail(`a tensor in it has a storage of another kind than ${[...STORAGE_TYPES.keys()].join(", ")}`);
      }
      const whole: TorchStorage = { type: number, count, key: String(key), offset: 0 };
      if (view === undefined || view === null) return whole;
      const [, offset, size] = Array.isArray(view) ? (view as unknown[]) : [];
      if (!isWhole(offset) || !isWhole(size) || offset + size > count)
        return fail("a view in it reaches beyond its storage");
      return { ...whole, offset, count: size };
    },
  };
}

function isStorage(x: unknown): x is TorchStorage {
  return typeof x === "object" && x !== null && "type" in x && "key" in x && "offset" in x;
}

/** Keys under which checkpoints keep the weights: the first that leads to tensors counts. */
const NESTED = [
  "state_dict",
  "model_state_dict",
  "model_state",
  "model",
  "net",
  "network",
  "module",
  "weights",
  "params",
  "params_ema",
  "backbone",
  "encoder",
];
/** Checkpoints of checkpoints are not followed further. */
const DEEPEST = 4;

/**
 * The named tensors of what a PyTorch file holds: a state dict, or a dictionary that holds one under a usual key (`state_dict`,
 * `model`, …). Tensors beside such a key, an accuracy or a loss, are no weights.
 * @param fail told in words why there is none
 */
export function stateDictOf(
  root: unknown,
  bytesOf: StorageBytes,
  fail: (what: string) => never,
): ReadonlyMap<string, StoredTensor> {
  if (!(root instanceof Map))
    return fail(`it holds ${inWords(root)}, not a state dict: a dictionary of names and tensors`);
  const found = tensorsIn(root, DEEPEST, new Set());
  if (found.length === 0) return fail(whyNone(root));
  return new Map(found.map(([name, tensor]) => [name, stored(tensor, bytesOf)]));
}

type Dictionary = ReadonlyMap<unknown, unknown>;

/** The dictionary under a usual key. */
function nested(dictionary: Dictionary, key: string): Dictionary | undefined {
  const value = dictionary.get(key);
  return value instanceof Map ? value : undefined;
}

/**
 * The tensors of the first dictionary that has some, those under usual keys before the one that holds them; none where there are none.
 * @param levels how many dictionaries, one in the other, are looked into
 * @param seen dictionaries that were looked into before: one may lie under many keys, or in itself
 */
function tensorsIn(dictionary: Dictionary, levels: number, seen: Set<Dictionary>): [string, TorchTensor][] {
  if (levels === 0 || seen.has(dictionary)) return [];
  seen.add(dictionary);
  for (const key of NESTED) {
    const inner = nested(dictionary, key);
    const found = inner === undefined ? [] : tensorsIn(inner, levels - 1, seen);
    if (found.length > 0) return found;
  }
  return [...dictionary].flatMap(([name, value]): [string, TorchTensor][] =>
    value instanceof TorchTensor ? [[String(name), value]] : [],
  );
}

/** Why a dictionary has no tensors, told of the one that its usual keys lead to. */
function whyNone(root: Dictionary): string {
  let last = root;
  for (let level = 0; level < DEEPEST; level++) {
    const key = NESTED.find((name) => nested(last, name) !== undefined);
    if (key === undefined) {
      const keys = [...last.keys()].slice(0, 8).map(String).join(", ");
      return last.size === 0
        ? "its dictionary is empty"
        : `its dictionary has no tensors and no state dict under ${NESTED.slice(0, 5).join(", ")}, …; its keys are ${keys}`;
    }
    last = nested(last, key)!;
  }
  return "its state dict lies in too many dictionaries";
}

function inWords(value: unknown): string {
  if (value instanceof TorchTensor) return "one tensor";
  if (Array.isArray(value)) return "a list";
  if (value instanceof OpaqueValue) return `an object made by ${value.madeBy}`;
  return value === null ? "nothing" : `a ${typeof value}`;
}

function stored({ storage, offset, shape, strides }: TorchTensor, bytesOf: StorageBytes): StoredTensor {
  const { type, key } = storage;
  return {
    shape,
    type: type.name,
    read() {
      const from = storage.offset + offset;
      const run = { ...bytesOf(key, reach(shape, strides, from) * type.width), type };
      return readStored(run, shape, strides, from);
    },
  };
}
