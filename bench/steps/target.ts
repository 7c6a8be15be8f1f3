import { openTarget, type WhiteBox } from "../../src/attacks/access.ts";
import { queryMeter } from "../../src/attacks/queries.ts";
import type { StateDict } from "../../src/engine/store.ts";
import { weightsUnder } from "../../src/priors/prior.ts";
import type { Classifier } from "../case.ts";
import { buildClassifier } from "./model.ts";

/** Where a case's state holds the attacked classifier. */
export const TARGET = "target/";

/** The attacked classifier of a case, its weights fixed. */
export function targetOf(spec: Classifier, state: StateDict): WhiteBox {
  return openTarget("white-box", buildClassifier(spec), weightsUnder(TARGET, state), queryMeter()).target;
}
