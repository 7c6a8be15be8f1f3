import type { Call } from "../call.ts";
import type { HostTensor } from "../host.ts";

/** Computes a node whose inputs' numbers are all known, on the host. */
export type Fold = (call: Call) => HostTensor | readonly HostTensor[];

/** Rules by the operator's name in ONNX. */
export type Folds = Readonly<Record<string, Fold>>;
