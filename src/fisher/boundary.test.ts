import { describe, expect, test } from "vitest";
import { recommendBoundary } from "./boundary.ts";
import type { LayerFisher } from "./fisher.ts";

const layersOf = (values: readonly number[], parameters: readonly number[]): LayerFisher[] =>
  values.map((fisher, i) => ({
    layer: `conv${i}`,
    stage: `stage${i}`,
    kernel: true,
    parameters: parameters[i]!,
    fisher,
  }));

describe("the recommended boundary", () => {
  // Ho et al. 2024, figure 1: VGG16's 13 convolutions, read off the plot, and their sizes.
  const CLASSIFICATION = [0.28, 0.18, 0.13, 0.27, 0.14, 0.34, 0.68, 0.3, 1.02, 1.1, 0.29, 0.29, 0.1];
  const INVERSION = [20.6, 3.5, 10.7, 3.2, 4.7, 3.6, 2.9, 3.3, 3.9, 2.0, 3.3, 3.3, 0.3];
  const CHANNELS = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];
  const SIZES = CHANNELS.slice(1).map((after, i) => 9 * CHANNELS[i]! * after);

  test("is where the paper's VGG16 has three quarters of inversion's information behind it", () => {
    const sums = INVERSION.map((mean, i) => mean * SIZES[i]!);
    const upTo = (s: number) => sums.slice(0, s + 1).reduce((a, b) => a + b, 0) / sums.reduce((a, b) => a + b, 0);
    const { boundary, stages } = recommendBoundary(layersOf(CLASSIFICATION, SIZES), layersOf(INVERSION, SIZES));
    expect(boundary, "the first convolution of the last block").toBe("stage10");
    expect(upTo(10)).toBeGreaterThanOrEqual(0.75);
    expect(upTo(9)).toBeLessThan(0.75);
    for (const [s, { frozen }] of stages.entries()) expect(frozen.inversion).toBeCloseTo(upTo(s), 12);
  });

  test("does not depend on the scale of either loss", () => {
    const scaled = recommendBoundary(
      layersOf(
        CLASSIFICATION.map((x) => 1e-6 * x),
        SIZES,
      ),
      layersOf(
        INVERSION.map((x) => 1e4 * x),
        SIZES,
      ),
    );
    expect(scaled.boundary).toBe("stage10");
  });

  test("adds up the layers of a stage, and leaves norms and the head out", () => {
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
    const { boundary, stages } = recommendBoundary(layers, layers);
    expect(stages.map(({ stage, classification }) => [stage, classification])).toEqual([
      ["a", 2],
      ["b", 3],
    ]);
    expect(stages[0]!.frozen.classification).toBeCloseTo(80 / 110, 12);
    expect(boundary).toBe("b");
  });

  test("is none where inversion has no information", () => {
    expect(recommendBoundary(layersOf([1, 1], [4, 4]), layersOf([0, 0], [4, 4])).boundary).toBeNull();
  });
});
