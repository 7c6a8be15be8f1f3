import { describe, expect, test } from "vitest";
import { recommendBoundary } from "./boundary.ts";
import type { LayerFisher } from "./fisher.ts";

const layersOf = (values: readonly number[]): LayerFisher[] =>
  values.map((fisher, i) => ({ layer: `conv${i}`, stage: `stage${i}`, kernel: true, parameters: 10 + i, fisher }));

describe("the recommended boundary", () => {
  // Ho et al. 2024, figure 1: VGG16's 13 convolutions, read off the plot.
  const CLASSIFICATION = [0.28, 0.18, 0.13, 0.27, 0.14, 0.34, 0.68, 0.3, 1.02, 1.1, 0.29, 0.29, 0.1];
  const INVERSION = [20.6, 3.5, 10.7, 3.2, 4.7, 3.6, 2.9, 3.3, 3.9, 2.0, 3.3, 3.3, 0.3];

  test("is where the cumulative shares of the paper's VGG16 are farthest apart", () => {
    const gaps = CLASSIFICATION.map((_, s) => {
      const share = (values: readonly number[]) =>
        values.slice(0, s + 1).reduce((a, b) => a + b, 0) / values.reduce((a, b) => a + b, 0);
      return share(INVERSION) - share(CLASSIFICATION);
    });
    const { boundary, stages } = recommendBoundary(layersOf(CLASSIFICATION), layersOf(INVERSION));
    expect(boundary).toBe(`stage${gaps.indexOf(Math.max(...gaps))}`);
    expect(boundary, "the first convolution of the third block").toBe("stage4");
    for (const [s, { frozen }] of stages.entries())
      expect(frozen.inversion - frozen.classification).toBeCloseTo(gaps[s]!, 12);
  });

  test("does not depend on the scale of either loss", () => {
    const scaled = recommendBoundary(
      layersOf(CLASSIFICATION.map((x) => 1e-6 * x)),
      layersOf(INVERSION.map((x) => 1e4 * x)),
    );
    expect(scaled.boundary).toBe("stage4");
  });

  test("weighs the layers of a stage by their parameters, and leaves norms and the head out", () => {
    const part = (layer: string, stage: string | null, kernel: boolean, parameters: number, fisher: number) => ({
      layer,
      stage,
      kernel,
      parameters,
      fisher,
    });
    const layers = [
      part("a.conv", "a", true, 30, 1),
      part("a.wide", "a", true, 10, 5),
      part("a.bn", "a", false, 4, 1e6),
      part("b.conv", "b", true, 10, 3),
      part("fc", null, true, 10, 1e6),
    ];
    const { stages } = recommendBoundary(layers, layers);
    expect(stages.map(({ stage, classification }) => [stage, classification])).toEqual([
      ["a", 2],
      ["b", 3],
    ]);
    expect(stages[0]!.frozen.classification).toBeCloseTo(2 / 5, 12);
  });

  test("is none where inversion's information comes no earlier than classification's", () => {
    expect(recommendBoundary(layersOf([3, 2, 1]), layersOf([1, 2, 3])).boundary).toBeNull();
    expect(recommendBoundary(layersOf([1, 1]), layersOf([2, 2])).boundary).toBeNull();
    expect(recommendBoundary(layersOf([0, 0]), layersOf([0, 0])).boundary).toBeNull();
  });
});
