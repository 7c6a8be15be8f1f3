import * as Plot from "@observablehq/plot";
import type { FisherRecord } from "../../study/fisher.ts";
import { significant } from "../numbers.ts";
import { chartBase } from "./look.ts";

/** How far down a letter of a layer's name reaches, in pixels, at its slant. */
const NAME_HEIGHT = 6;

const TASKS = ["inversion", "classification"] as const;

/**
 * Fisher information of each convolution and linear layer, in a panel for each task, as shares of the task's sum: the two losses have
 * no common scale. Layers up to the recommended boundary are dark, those that would train are pale. Needs no style sheet.
 */
export function fisherChart({ layers, stages, boundary }: FisherRecord, width: number): Plot.PlotOptions {
  const kernels = layers.filter(({ kernel }) => kernel);
  const last = stages.findIndex(({ stage }) => stage === boundary);
  const frozen = new Set(stages.slice(0, last + 1).map(({ stage }) => stage));
  const rows = TASKS.flatMap((task) => {
    const total = kernels.reduce((sum, layer) => sum + layer[task], 0);
    return kernels.map(({ layer, stage, ...of }) => ({
      task,
      layer,
      share: total > 0 ? (100 * of[task]) / total : 0,
      opacity: stage !== null && frozen.has(stage) ? 0.9 : 0.35,
      title: `${layer}, ${task}: ${significant(of[task])}`,
    }));
  });
  const names = Math.max(...kernels.map(({ layer }) => layer.length)) * NAME_HEIGHT + 16;
  return {
    ...chartBase(width, 300 + names),
    marginLeft: 46,
    marginRight: 90,
    marginBottom: names,
    x: { type: "band", domain: kernels.map(({ layer }) => layer), label: null, tickRotate: -60 },
    y: { label: "share of all layers, %", labelArrow: "none", ticks: 4, nice: true },
    fy: { domain: TASKS, label: null, padding: 0.15 },
    marks: [
      Plot.gridY({ stroke: "currentColor", strokeOpacity: 0.15, ticks: 4 }),
      Plot.barY(rows, {
        x: "layer",
        y: "share",
        fy: "task",
        fill: "currentColor",
        fillOpacity: "opacity",
        title: "title",
      }),
      Plot.ruleY([0], { stroke: "currentColor" }),
    ],
    opacity: { type: "identity" },
  };
}
