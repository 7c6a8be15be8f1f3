import type { Value } from "../graph.ts";
import type { Lowering } from "../lowering.ts";
import { BLOCKED_DOMAIN, type BlockedLowering, type OpenConv } from "./layout.ts";
import { blockedRules } from "./rules.ts";

/** Writes values in whichever layout suits them, and changes of layout between. */
export interface LayoutWriter {
  /** Writes the value's nodes, or keeps in mind what it will be. */
  write(v: Value): void;
  /** The name of the value with whole planes. */
  plain(v: Value): string;
}

/** What a writer stands on. */
export interface LayoutWriterOptions {
  readonly lowering: Lowering;
  /** Channels of a block; 0 where the runtime has no blocks: everything is plain then. */
  readonly block: number;
  /** How often each value is read, results included. */
  readonly uses: ReadonlyMap<Value, number>;
  /** Names of values with whole planes, leaves among them; added to. */
  readonly names: Map<Value, string>;
  /** Makes nodes written by `act` part of the model at `path`. */
  at<T>(path: string, act: () => T): T;
}

/** Opens a writer for one graph, whose values are then written in topological order. */
export function layoutWriter({ lowering, block, uses, names, at }: LayoutWriterOptions): LayoutWriter {
  const blocks = new Map<Value, string>();
  const last = new Map<Value, string>();
  const opened = new Map<Value, OpenConv>();
  const made = new Map<Value, Map<string, string>>();
  const blockedNode: BlockedLowering["blockedNode"] = (op, inputs, attributes) =>
    lowering.node(op, inputs, attributes, BLOCKED_DOMAIN);

  function close({ input, weight, attributes, bias, sum, relu, path }: OpenConv): string {
    const inputs = [input, weight, ...(bias !== undefined || sum !== undefined ? [bias ?? ""] : [])];
    if (sum !== undefined) inputs.push(sum);
    return at(path, () => blockedNode("Conv", inputs, { ...attributes, ...(relu === true && { activation: "Relu" }) }));
  }

  function inBlocks(v: Value): string | undefined {
    const open = opened.get(v);
    if (open !== undefined) {
      opened.delete(v);
      blocks.set(v, close(open));
    }
    return blocks.get(v);
  }

  function plain(v: Value): string {
    const known = names.get(v);
    if (known !== undefined) return known;
    const name = withFloats(v, inBlocks(v)!, (x) => blockedNode("ReorderOutput", [x], { channels: v.shape[1]! }));
    names.set(v, name);
    return name;
  }

  /** Layouts are changed for floats alone; truth values go through them. */
  function withFloats(v: Value, name: string, change: (name: string) => string): string {
    if (v.dtype === "float32") return change(name);
    return lowering.node("Cast", [change(lowering.node("Cast", [name], { to: 1 }))], { to: 9 });
  }

  const l: BlockedLowering = {
    ...lowering,
    block,
    blockedNode,
    plain,
    blocked(v) {
      const known = inBlocks(v);
      if (known !== undefined) return known;
      const name = withFloats(v, plain(v), (x) => blockedNode("ReorderInput", [x]));
      blocks.set(v, name);
      return name;
    },
    channelsLast(v) {
      const known = last.get(v);
      if (known !== undefined) return known;
      const lying = inBlocks(v);
      const name =
        lying === undefined
          ? lowering.node("Transpose", [plain(v)], { perm: [0, 2, 3, 1] })
          : blockedNode("ReorderOutput", [lying], { channels: v.shape[1]!, channels_last: 1 });
      last.set(v, name);
      return name;
    },
    isBlocked: (v) => opened.has(v) || blocks.has(v),
    peekOpen: (v) => (uses.get(v) === 1 ? opened.get(v) : undefined),
    takeOpen(v) {
      const open = l.peekOpen(v);
      if (open !== undefined) opened.delete(v);
      return open;
    },
    once(v, what, make) {
      const of = made.get(v) ?? new Map<string, string>();
      made.set(v, of);
      const name = of.get(what) ?? make();
      of.set(what, name);
      return name;
    },
  };

  return {
    plain,
    write(v) {
      const result = block > 0 ? blockedRules.get(v.op)?.(l, v) : undefined;
      if (result === undefined) names.set(v, v.lower!(lowering, v.inputs.map(plain)));
      else if ("open" in result) opened.set(v, result.open);
      else if ("plain" in result) names.set(v, result.plain);
      else blocks.set(v, result.blocked);
    },
  };
}
