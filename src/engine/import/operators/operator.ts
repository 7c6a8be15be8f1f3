import type { Value } from "../../graph.ts";
import type { Call } from "../call.ts";
import type { Held } from "../held.ts";

/** One output: a value made of the engine's ops, or what a name already stands for. Undefined: an output that is not supported. */
export type Result = Value | Held | undefined;

/** Builds a node of ONNX out of the engine's ops. May throw a ShapeError: the interpreter says at which node. */
export type Builder = (call: Call) => Result | readonly Result[];

/** Rules by the operator's name in ONNX. */
export type Operators = Readonly<Record<string, Builder>>;
