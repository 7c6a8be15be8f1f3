import { constantTensor, topologicalOrder, type Value } from "./graph.ts";
import { sizeOf } from "./shape.ts";

/**
 * A graph as text, one line a value in an order that follows from the outputs alone:
 * `%3 = Conv[2,8,16,16] layer1.0.conv1 (%1, %2) {stride: [1,1]}`. Leaves say their names, constants of up to four numbers those too,
 * and element types other than float32 stand behind the op. The last lines name the outputs.
 */
export function printGraph(outputs: Readonly<Record<string, Value>>): string {
  const order = topologicalOrder(Object.values(outputs));
  const names = new Map(order.map((v, i) => [v, `%${i}`]));
  const lines = order.map((v) => {
    const type = v.dtype === "float32" ? "" : `<${v.dtype}>`;
    const inputs = v.leaf === undefined ? [`(${v.inputs.map((i) => names.get(i)!).join(", ")})`] : [];
    const parts = [`${v.op}${type}[${v.shape}]`, v.leaf?.name ?? v.path, ...inputs, numbers(v), attributes(v)];
    return `${names.get(v)} = ${parts.filter((part) => part !== "").join(" ")}`;
  });
  const results = Object.entries(outputs).map(([name, v]) => `${name}: ${names.get(v)}`);
  return [...lines, ...results].join("\n");
}

function numbers(v: Value): string {
  const held = constantTensor(v);
  return held === undefined || sizeOf(held.shape) > 4 ? "" : `= ${[...held.data].map(shortNumber).join(", ")}`;
}

/** Six digits tell any two constants of a model apart that a reader would, and hide float32's tail. */
const shortNumber = (x: number) => String(Number(x.toPrecision(6)));

function attributes(v: Value): string {
  const entries = Object.entries(v.attributes);
  if (entries.length === 0) return "";
  return `{${entries.map(([key, value]) => `${key}: ${Array.isArray(value) ? `[${value}]` : String(value)}`).join(", ")}}`;
}
