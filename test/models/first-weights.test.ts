import { expect, test } from "vitest";
import { random } from "../../src/engine/random.ts";
import { sizeOf } from "../../src/engine/shape.ts";
import { initialState } from "../../src/models/bind.ts";
import { maxvitT } from "../../src/models/maxvit.ts";
import { weightsOf } from "../../src/models/model.ts";
import { smallModels } from "../support/small-models.ts";

/** A distribution by its deviation for a tensor's shape; 0 is the same number everywhere. */
interface First {
  readonly of: RegExp;
  readonly form: "uniform" | "normal" | "constant";
  /** The deviation, or the constant. */
  readonly value: (shape: readonly number[]) => number;
}

const fanIn = (shape: readonly number[]) => sizeOf(shape.slice(1));
const constant = (of: RegExp, value: number): First => ({ of, form: "constant", value: () => value });
const normal = (of: RegExp, value: number | First["value"]): First => ({
  of,
  form: "normal",
  value: typeof value === "number" ? () => value : value,
});
/** Uniform in ± the bound. */
const uniform = (of: RegExp, bound: First["value"]): First => ({
  of,
  form: "uniform",
  value: (shape) => bound(shape) / Math.sqrt(3),
});
const xavier = (of: RegExp) => uniform(of, (shape) => Math.sqrt(6 / (shape[0]! + shape[1]!)));
/** PyTorch's own: ±1/√fan-in. */
const usual = (of: RegExp) => uniform(of, (shape) => 1 / Math.sqrt(fanIn(shape)));
const norms = (of: RegExp): First[] => [
  constant(new RegExp(`(?:${of.source})\\.weight$`), 1),
  constant(new RegExp(`(?:${of.source})\\.bias$`), 0),
];

/** torchvision's first weights (0.2x), each tensor by the first line that its name fits. */
const PUBLISHED: Readonly<Record<string, readonly First[]>> = {
  vit_b_16: [
    ...norms(/\.ln(_[12])?/),
    normal(/^conv_proj\.weight$/, (shape) => 1 / Math.sqrt(fanIn(shape))),
    normal(/pos_embedding$/, 0.02),
    xavier(/\.in_proj_weight$|\.mlp\.\d\.weight$/),
    usual(/\.out_proj\.weight$/),
    normal(/\.mlp\.\d\.bias$/, 1e-6),
    constant(/^class_token$|^heads\.|^conv_proj\.bias$|in_proj_bias$|out_proj\.bias$/, 0),
  ],
  swin_t: [
    usual(/^features\.0\.0\.weight$/),
    uniform(/^features\.0\.0\.bias$/, () => 1 / Math.sqrt(3 * 4 * 4)),
    ...norms(/\.norm\d?|^norm|^features\.0\.2/),
    normal(/\.weight$|bias_table$/, 0.02),
    constant(/\.bias$/, 0),
  ],
  maxvit_t: [
    ...norms(/\.pre_norm|conv_[ab]\.1|attn_layer\.0|mlp_layer\.0|stem\.0\.1|^classifier\.2/),
    normal(/\.weight$|bias_table$/, 0.02 * Math.sqrt(64 / 4)), // a sixteenth of the published width
    constant(/\.bias$/, 0),
  ],
  densenet121: [
    ...norms(/norm\d?/),
    normal(/\.conv\d?\.weight$/, (shape) => Math.sqrt(2 / fanIn(shape))),
    usual(/^classifier\.weight$/),
    constant(/^classifier\.bias$/, 0),
  ],
  inception_v3: [
    ...norms(/\.bn/),
    normal(/\.conv\.weight$|^fc\.weight$/, 0.1),
    uniform(/^fc\.bias$/, () => 1 / Math.sqrt(2048 / 16)),
  ],
};

test.each(Object.entries(PUBLISHED))("%s starts from the published weights' distributions", (kind, lines) => {
  const { family, config, side } = smallModels.find(({ family }) => family.kind === kind)!;
  const model = family.build(family.config.parse(config), { input: [3, side, side], classes: 40 });
  const specs = weightsOf(model).filter((spec) => spec.kind === "weight");
  const state = initialState(specs, 1);
  const groups = new Map<First, number[]>(lines.map((line) => [line, []]));
  for (const { name, shape } of specs) {
    const line = lines.find(({ of }) => of.test(name));
    if (line === undefined) throw new Error(`${kind}: nothing is said of ${name}`);
    const wanted = line.value(shape);
    const { data } = state[name]!;
    if (line.form === "constant") expect([...new Set(data)], name).toEqual([wanted]);
    // In units of the wanted deviation, so that tensors of a group count together.
    else for (const x of data) groups.get(line)!.push(x / wanted);
  }
  for (const [{ of, form }, numbers] of groups) {
    if (form === "constant") continue;
    const count = numbers.length;
    const mean = numbers.reduce((sum, x) => sum + x, 0) / count;
    const deviation = Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0) / count);
    // Four standard errors.
    expect(Math.abs(mean), `${of}: mean`).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(deviation - 1), `${of}: deviation of ${count} numbers`).toBeLessThan(4 / Math.sqrt(2 * count));
    const farthest = numbers.reduce((far, x) => Math.max(far, Math.abs(x)), 0);
    if (form === "uniform") expect(farthest, `${of}: bound`).toBeLessThan(Math.sqrt(3) + 1e-6);
    else expect(farthest, `${of}: a normal tail`).toBeGreaterThan(Math.sqrt(3));
  }
});

test("maxvit_t has torchvision's deviation at the published width, and a wider one the narrower it is", () => {
  const deviationAt = (width: number) => {
    const model = maxvitT.build(maxvitT.config.parse({ width, partition: 2 }), { input: [3, 64, 64], classes: 2 });
    const { initial, shape } = weightsOf(model).find(({ name }) => name === "stem.1.0.weight")!;
    const numbers = initial(random(1), shape);
    return Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0) / numbers.length);
  };
  expect(deviationAt(64)).toBeCloseTo(0.02, 3);
  expect(deviationAt(16)).toBeCloseTo(0.04, 2);
});
