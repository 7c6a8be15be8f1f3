import { bytesReader } from "../bytes-reader.ts";

/** A class or function that a pickle names: nothing but its name. */
export class PickledName {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value that a pickle builds and that nobody here needs: what it was made by. */
export class OpaqueValue {
  readonly madeBy: string;
  constructor(madeBy: string) {
    this.madeBy = madeBy;
  }
}

/** What a pickle may name, and what comes of it. */
export interface PickleNames {
  /** Results of calls, by the called name (`collections.OrderedDict`). */
  readonly calls: ReadonlyMap<string, (args: readonly unknown[]) => unknown>;
  /** Names that only stand as values, such as types of numbers. */
  readonly values: ReadonlySet<string>;
  /** What a persistent id stands for. */
  persistent(id: unknown): unknown;
}

/** Marks a place on the stack; no value of a pickle is this one. */
const MARK = Symbol("mark");

const OPCODES = {
  MARK: 0x28,
  EMPTY_TUPLE: 0x29,
  STOP: 0x2e,
  POP: 0x30,
  POP_MARK: 0x31,
  DUP: 0x32,
  BINBYTES: 0x42,
  SHORT_BINBYTES: 0x43,
  BINFLOAT: 0x47,
  BININT: 0x4a,
  BININT1: 0x4b,
  BININT2: 0x4d,
  NONE: 0x4e,
  BINPERSID: 0x51,
  REDUCE: 0x52,
  BINSTRING: 0x54,
  SHORT_BINSTRING: 0x55,
  BINUNICODE: 0x58,
  EMPTY_LIST: 0x5d,
  APPEND: 0x61,
  BUILD: 0x62,
  GLOBAL: 0x63,
  DICT: 0x64,
  APPENDS: 0x65,
  BINGET: 0x68,
  LONG_BINGET: 0x6a,
  LIST: 0x6c,
  BINPUT: 0x71,
  LONG_BINPUT: 0x72,
  SETITEM: 0x73,
  TUPLE: 0x74,
  SETITEMS: 0x75,
  EMPTY_DICT: 0x7d,
  PROTO: 0x80,
  NEWOBJ: 0x81,
  TUPLE1: 0x85,
  TUPLE2: 0x86,
  TUPLE3: 0x87,
  NEWTRUE: 0x88,
  NEWFALSE: 0x89,
  LONG1: 0x8a,
  LONG4: 0x8b,
  SHORT_BINUNICODE: 0x8c,
  BINUNICODE8: 0x8d,
  EMPTY_SET: 0x8f,
  ADDITEMS: 0x90,
  STACK_GLOBAL: 0x93,
  MEMOIZE: 0x94,
  FRAME: 0x95,
} as const;

/** Longest whole number that is read, in bytes; state dicts have none of more than ten. */
const LONGEST_NUMBER = 64;

/**
 * Reads one pickle (Python's `pickletools`, protocols 2 to 5, binary opcodes). Executes nothing: a pickle is a program, and this
 * machine knows lists, dictionaries, numbers and texts, and of classes and functions only the names that it is given. Lists and
 * tuples become arrays, dictionaries maps.
 * @param start where the pickle begins
 * @param fail told in words what is wrong, such as a name that is not allowed
 * @returns the value, and the position after the pickle.
 */
export function unpickle(
  bytes: Uint8Array,
  names: PickleNames,
  fail: (what: string) => never,
  start = 0,
): { readonly value: unknown; readonly end: number } {
  const reader = bytesReader(bytes, fail, start);
  const stack: unknown[] = [];
  const memo = new Map<number, unknown>();
  const damaged = () => fail(`its pickle is damaged before byte ${reader.position()}`);
  const top = (): unknown => (stack.length === 0 || stack.at(-1) === MARK ? damaged() : stack.at(-1));
  const pop = (): unknown => {
    const value = top();
    stack.pop();
    return value;
  };
  const popMark = (): unknown[] => {
    const mark = stack.lastIndexOf(MARK);
    if (mark < 0) damaged();
    const values = stack.splice(mark);
    return values.slice(1);
  };
  const several = (count: number): unknown[] => Array.from({ length: count }, pop).reverse();
  const text = (length: number, encoding: BufferEncoding = "utf8") =>
    Buffer.from(reader.take(length)).toString(encoding);
  const array = (value: unknown): unknown[] => (Array.isArray(value) ? value : damaged());
  const put = (key: number) => memo.set(key, top());
  const get = (key: number) => stack.push(memo.has(key) ? memo.get(key) : damaged());
  const named = (name: string): PickledName => {
    if (names.calls.has(name) || names.values.has(name)) return new PickledName(name);
    return fail(
      `it asks for the Python object ${name}, which no state dict needs; nothing of it was executed. ` +
        "Save the weights alone: torch.save(model.state_dict(), path)",
    );
  };
  const call = (of: unknown, args: readonly unknown[]): unknown => {
    const made = of instanceof PickledName ? names.calls.get(of.name) : undefined;
    return made === undefined ? damaged() : made(args);
  };
  const setItems = (target: unknown, items: readonly unknown[]): void => {
    // Attributes of what is only passed over need no place.
    if (target instanceof OpaqueValue) return;
    if (!(target instanceof Map) || items.length % 2 !== 0) damaged();
    for (let i = 0; i < items.length; i += 2) (target as Map<unknown, unknown>).set(items[i], items[i + 1]);
  };

  for (;;) {
    const at = reader.position();
    const opcode = reader.u8();
    switch (opcode) {
      case OPCODES.PROTO: {
        const protocol = reader.u8();
        if (protocol < 2 || protocol > 5) fail(`its pickle has protocol ${protocol}; 2 to 5 are read`);
        break;
      }
      case OPCODES.FRAME:
        reader.u64();
        break;
      case OPCODES.STOP: {
        const value = pop();
        return { value, end: reader.position() };
      }
      case OPCODES.MARK:
        stack.push(MARK);
        break;
      case OPCODES.POP:
        if (stack.pop() === undefined) damaged();
        break;
      case OPCODES.POP_MARK:
        popMark();
        break;
      case OPCODES.DUP:
        stack.push(top());
        break;
      case OPCODES.NONE:
        stack.push(null);
        break;
      case OPCODES.NEWTRUE:
        stack.push(true);
        break;
      case OPCODES.NEWFALSE:
        stack.push(false);
        break;
      case OPCODES.BININT:
        stack.push(reader.i32());
        break;
      case OPCODES.BININT1:
        stack.push(reader.u8());
        break;
      case OPCODES.BININT2:
        stack.push(reader.u16());
        break;
      case OPCODES.LONG1:
        stack.push(whole(reader.take(reader.u8())));
        break;
      case OPCODES.LONG4: {
        const length = reader.u32();
        if (length > LONGEST_NUMBER) fail(`a number in it has ${length} bytes`);
        stack.push(whole(reader.take(length)));
        break;
      }
      case OPCODES.BINFLOAT:
        stack.push(reader.f64BigEndian());
        break;
      case OPCODES.BINUNICODE:
        stack.push(text(reader.u32()));
        break;
      case OPCODES.SHORT_BINUNICODE:
        stack.push(text(reader.u8()));
        break;
      case OPCODES.BINUNICODE8:
        stack.push(text(reader.u64()));
        break;
      // Texts of Python 2 are bytes; names in state dicts are ASCII.
      case OPCODES.BINSTRING:
        stack.push(text(reader.u32(), "latin1"));
        break;
      case OPCODES.SHORT_BINSTRING:
        stack.push(text(reader.u8(), "latin1"));
        break;
      case OPCODES.BINBYTES:
        stack.push(reader.take(reader.u32()));
        break;
      case OPCODES.SHORT_BINBYTES:
        stack.push(reader.take(reader.u8()));
        break;
      case OPCODES.EMPTY_LIST:
      case OPCODES.EMPTY_TUPLE:
      case OPCODES.EMPTY_SET:
        stack.push([]);
        break;
      case OPCODES.EMPTY_DICT:
        stack.push(new Map());
        break;
      case OPCODES.TUPLE:
      case OPCODES.LIST:
        stack.push(popMark());
        break;
      case OPCODES.DICT: {
        const items = popMark();
        const dictionary = new Map();
        setItems(dictionary, items);
        stack.push(dictionary);
        break;
      }
      case OPCODES.TUPLE1:
        stack.push(several(1));
        break;
      case OPCODES.TUPLE2:
        stack.push(several(2));
        break;
      case OPCODES.TUPLE3:
        stack.push(several(3));
        break;
      case OPCODES.APPEND: {
        const item = pop();
        array(top()).push(item);
        break;
      }
      case OPCODES.APPENDS:
      case OPCODES.ADDITEMS: {
        const items = popMark();
        const list = array(top());
        for (const item of items) list.push(item);
        break;
      }
      case OPCODES.SETITEM: {
        const [key, value] = several(2);
        setItems(top(), [key, value]);
        break;
      }
      case OPCODES.SETITEMS: {
        const items = popMark();
        setItems(top(), items);
        break;
      }
      case OPCODES.GLOBAL: {
        const [module, name] = [reader.line(), reader.line()];
        stack.push(named(`${module}.${name}`));
        break;
      }
      case OPCODES.STACK_GLOBAL: {
        const [module, name] = several(2);
        stack.push(typeof module === "string" && typeof name === "string" ? named(`${module}.${name}`) : damaged());
        break;
      }
      case OPCODES.REDUCE:
      case OPCODES.NEWOBJ: {
        const [of, args] = several(2);
        stack.push(call(of, array(args)));
        break;
      }
      case OPCODES.BUILD: {
        // An object's attributes, such as a state dict's `_metadata`: no weight is among them.
        pop();
        top();
        break;
      }
      case OPCODES.BINPERSID:
        stack.push(names.persistent(pop()));
        break;
      case OPCODES.BINPUT:
        put(reader.u8());
        break;
      case OPCODES.LONG_BINPUT:
        put(reader.u32());
        break;
      case OPCODES.MEMOIZE:
        put(memo.size);
        break;
      case OPCODES.BINGET:
        get(reader.u8());
        break;
      case OPCODES.LONG_BINGET:
        get(reader.u32());
        break;
      default:
        fail(
          `its pickle has opcode 0x${opcode.toString(16).padStart(2, "0")} at byte ${at}, which no state dict needs`,
        );
    }
  }
}

/** A whole number, little-endian in two's complement. */
function whole(bytes: Uint8Array): number | bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  if (bytes.length > 0 && bytes.at(-1)! >= 0x80) value -= 1n << BigInt(8 * bytes.length);
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
