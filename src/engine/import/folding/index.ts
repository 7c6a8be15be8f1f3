import { creation } from "./create.ts";
import { elementwise, reductions } from "./elementwise.ts";
import type { Folds } from "./fold.ts";
import { movement } from "./movement.ts";

/** Every operator that is computed on import where its inputs are known, by its name in ONNX. */
export const folds: Folds = { ...creation, ...elementwise, ...movement, ...reductions };
