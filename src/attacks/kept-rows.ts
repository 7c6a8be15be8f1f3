import { tensor } from "../engine/tensor.ts";
import type { Loop } from "../engine/work.ts";

/** What a search has found so far, as part of its checkpoints: rows that it fills identity by identity, beside what its store holds. */
export const keptRows = (found: Float32Array): NonNullable<Loop["extra"]> => ({
  save: () => ({ found: tensor(found.slice(), [found.length]) }),
  load: (state) => found.set(state.found!.data),
});
