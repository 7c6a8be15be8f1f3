import { expect, test } from "vitest";
import { grad } from "./autodiff.ts";
import { constant, input, parameter } from "./graph.ts";
import { relu } from "./ops/activation.ts";
import { conv2d } from "./ops/conv.ts";
import { greater, mul, pow, where } from "./ops/elementwise.ts";
import { linear } from "./ops/linear.ts";
import { meanSquaredError } from "./ops/loss.ts";
import { gather } from "./ops/movement.ts";
import { sum } from "./ops/reduce.ts";
import { printGraph } from "./print.ts";
import { filled, tensor } from "./tensor.ts";

test("a layer's loss and its gradients", () => {
  const [x, target] = [input("x", [4, 3]), input("target", [4, 2])];
  const [weight, bias] = [parameter("fc.weight", [2, 3]), parameter("fc.bias", [2])];
  const loss = meanSquaredError(relu(linear(x, weight, bias)), target);
  const [dWeight, dBias] = grad(loss, [weight, bias]);
  expect(printGraph({ loss, dWeight: dWeight!, dBias: dBias! })).toMatchInlineSnapshot(`
    "%0 = input[4,3] x
    %1 = parameter[2,3] fc.weight
    %2 = Transpose[3,2] fc (%1) {order: [1,0]}
    %3 = MatMul[4,2] (%0, %2)
    %4 = parameter[2] fc.bias
    %5 = Add[4,2] fc (%3, %4)
    %6 = Relu[4,2] fc (%5)
    %7 = input[4,2] target
    %8 = Sub[4,2] fc (%6, %7)
    %9 = Mul[4,2] fc (%8, %8)
    %10 = ReduceMean[] fc (%9) {axes: [0,1], keep: false}
    %11 = Transpose[3,4] (%0) {order: [1,0]}
    %12 = constant[] = 1
    %13 = Reshape[1,1] (%12) {to: [1,1]}
    %14 = constant[] = 0.125
    %15 = Mul[1,1] (%13, %14)
    %16 = Expand[4,2] (%15) {to: [4,2]}
    %17 = Mul[4,2] (%16, %8)
    %18 = Mul[4,2] (%16, %8)
    %19 = Add[4,2] (%17, %18)
    %20 = Positive[4,2] fc (%6)
    %21 = Mul[4,2] (%19, %20)
    %22 = MatMul[3,2] (%11, %21)
    %23 = Transpose[2,3] (%22) {order: [1,0]}
    %24 = ReduceSum[2] (%21) {axes: [0], keep: false}
    loss: %10
    dWeight: %23
    dBias: %24"
  `);
});

test("a second derivative is the graph of a gradient's gradient", () => {
  const x = input("x", [2]);
  const [first] = grad(sum(pow(x, 3)), [x]);
  const [second] = grad(sum(first!), [x]);
  expect(printGraph({ second: second! })).toMatchInlineSnapshot(`
    "%0 = constant[] = 1
    %1 = Reshape[1] (%0) {to: [1]}
    %2 = Expand[2] (%1) {to: [2]}
    %3 = constant[] = 1
    %4 = Reshape[1] (%3) {to: [1]}
    %5 = Expand[2] (%4) {to: [2]}
    %6 = Mul[2] (%2, %5)
    %7 = constant[] = 3
    %8 = Mul[2] (%6, %7)
    %9 = constant[] = 1
    %10 = Sub[] (%7, %9)
    %11 = input[2] x
    %12 = constant[] = 1
    %13 = Sub[] (%10, %12)
    %14 = Pow[2] (%11, %13)
    %15 = Mul[2] (%10, %14)
    %16 = Mul[2] (%8, %15)
    second: %16"
  `);
});

test("a convolution's gradients name their window and the layer they belong to", () => {
  const x = input("x", [2, 3, 8, 8]);
  const weight = parameter("layer1.0.conv1.weight", [4, 3, 3, 3]);
  const y = conv2d(x, weight, { stride: 2, padding: 1 });
  const [dx, dw] = grad(sum(y), [x, weight]);
  expect(printGraph({ y, dx: dx!, dw: dw! })).toMatchInlineSnapshot(`
    "%0 = input[2,3,8,8] x
    %1 = parameter[4,3,3,3] layer1.0.conv1.weight
    %2 = Conv[2,4,4,4] layer1.0.conv1 (%0, %1) {stride: [2,2], padding: [1,1], dilation: [1,1], groups: 1}
    %3 = constant[] = 1
    %4 = Reshape[1,1,1,1] (%3) {to: [1,1,1,1]}
    %5 = Expand[2,4,4,4] (%4) {to: [2,4,4,4]}
    %6 = ConvInputGrad[2,3,8,8] layer1.0.conv1 (%5, %1) {stride: [2,2], padding: [1,1], dilation: [1,1], groups: 1, to: [2,3,8,8]}
    %7 = ConvWeightGrad[4,3,3,3] (%0, %5) {stride: [2,2], padding: [1,1], dilation: [1,1], groups: 1, to: [4,3,3,3]}
    y: %2
    dx: %6
    dw: %7"
  `);
});

test("constants show their numbers while there are few, other element types are named", () => {
  const table = constant(filled([3, 2], 0.1), "embedding");
  const labels = input("labels", [2], "int32");
  const rows = gather(table, labels);
  const y = where(greater(rows, 0), rows, mul(rows, constant(tensor([0.1, 0.2], [2]), "slope")));
  expect(printGraph({ y })).toMatchInlineSnapshot(`
    "%0 = constant[3,2] embedding
    %1 = input<int32>[2] labels
    %2 = Gather[2,2] (%0, %1)
    %3 = constant[] = 0
    %4 = Greater<bool>[2,2] (%2, %3)
    %5 = constant[2] slope = 0.1, 0.2
    %6 = Mul[2,2] (%2, %5)
    %7 = Where[2,2] (%4, %2, %6)
    y: %7"
  `);
});

test("the same function prints the same text each time", () => {
  const text = () => {
    const x = input("x", [2, 2]);
    return printGraph({ y: grad(sum(mul(x, relu(x))), [x])[0]! });
  };
  expect(text()).toBe(text());
});
