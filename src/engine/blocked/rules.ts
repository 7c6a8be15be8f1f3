import { addRule, affineRule, batchNormRule, elementwiseRule, mulRule, reluRule, subRule } from "./channelwise.ts";
import { convInputGradRule, convRule, convWeightGradRule } from "./conv.ts";
import type { BlockedRule } from "./layout.ts";
import { avgPoolRule, maxPoolRule, reduceMeanRule, reduceSumRule, upsampleRule } from "./pool.ts";

const ELEMENTWISE = [
  "Abs",
  "Clip",
  "Div",
  "Equal",
  "Erf",
  "Exp",
  "Gelu",
  "Greater",
  "HalfErfc",
  "Identity",
  "LeakyRelu",
  "LessOrEqual",
  "Log",
  "Neg",
  "Positive",
  "Pow",
  "Sigmoid",
  "Softplus",
  "Sqrt",
  "Tanh",
  "ToFloat",
  "Where",
];

/** Ops that can stay in the blocked layout; all others read and write whole planes. */
export const blockedRules: ReadonlyMap<string, BlockedRule> = new Map<string, BlockedRule>([
  ...ELEMENTWISE.map((op) => [op, elementwiseRule] as const),
  ["Conv", convRule],
  ["ConvInputGrad", convInputGradRule],
  ["ConvWeightGrad", convWeightGradRule],
  ["ChannelAffine", affineRule],
  ["BatchNorm", batchNormRule],
  ["Relu", reluRule],
  ["Mul", mulRule],
  ["Add", addRule],
  ["Sub", subRule],
  ["MaxPool", maxPoolRule],
  ["AveragePool", avgPoolRule],
  ["UpsampleNearest", upsampleRule],
  ["ReduceMean", reduceMeanRule],
  ["ReduceSum", reduceSumRule],
]);
