import { sameShape, showShape, sizeOf } from "./shape.ts";
import { asFloat, type FloatTensor, tensor } from "./tensor.ts";

/** Named tensors, as PyTorch's `state_dict` has them. */
export type StateDict = Readonly<Record<string, FloatTensor>>;

/**
 * Named weights that programs read and update. Each tensor has two buffers: a step reads one and writes the other, then they
 * change places, so that no step allocates or copies.
 */
export interface Store {
  readonly names: () => readonly string[];
  /** @throws RangeError for a name that the store does not hold. */
  get(name: string): FloatTensor;
  /** The buffer that the next update of `name` is written to. */
  back(name: string): FloatTensor;
  /** Makes the written buffers of these names the current ones. */
  swap(names: readonly string[]): void;
  /** Copies of all tensors (or those of `names`), safe to keep. */
  snapshot(names?: readonly string[]): StateDict;
  /** Overwrites the tensors that `state` names. @throws RangeError for a name or shape that does not fit. */
  load(state: StateDict): void;
  /** Adds tensors of new names. */
  add(state: StateDict): void;
}

const copyOf = (t: FloatTensor): FloatTensor => tensor(Float32Array.from(t.data), t.shape);

/** A store that holds copies of the given tensors. */
export function createStore(initial: StateDict = {}): Store {
  const held = new Map<string, { front: FloatTensor; back: FloatTensor }>();
  const entry = (name: string) => {
    const found = held.get(name);
    if (found === undefined) throw new RangeError(`no tensor named ${name} in the store`);
    return found;
  };
  const store: Store = {
    names: () => [...held.keys()],
    get: (name) => entry(name).front,
    back: (name) => entry(name).back,
    swap(names) {
      for (const name of names) {
        const { front, back } = entry(name);
        held.set(name, { front: back, back: front });
      }
    },
    snapshot: (names = [...held.keys()]) => Object.fromEntries(names.map((name) => [name, copyOf(entry(name).front)])),
    load(state) {
      for (const [name, t] of Object.entries(state)) {
        const { front } = entry(name);
        if (!sameShape(front.shape, t.shape)) {
          throw new RangeError(`${name} has shape ${showShape(t.shape)}, the store holds ${showShape(front.shape)}`);
        }
        front.data.set(asFloat(t, name).data);
      }
    },
    add(state) {
      for (const [name, t] of Object.entries(state)) {
        if (held.has(name)) throw new RangeError(`a tensor named ${name} is already in the store`);
        held.set(name, { front: copyOf(t), back: tensor(new Float32Array(sizeOf(t.shape)), t.shape) });
      }
    },
  };
  store.add(initial);
  return store;
}
