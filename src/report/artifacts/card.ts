import { attackName } from "../../study/entry-labels.ts";
import type { CellResult } from "../../study/result.ts";
import type { TargetDescription } from "../../study/target-file.ts";
import { count, percent, percentWithInterval } from "../numbers.ts";

/** The card of a published target: what it is, what it was trained on, how useful it is, and what attacks found in it. */
export function targetCard(label: string, description: TargetDescription, cells: readonly CellResult[]): string {
  const { model, input, classes, data } = description;
  const [first] = cells;
  const { naturalAccuracy, trainableParameters, frozenParameters, boundary, seed } = first!;
  const share = percent(trainableParameters / (trainableParameters + frozenParameters));
  const rows = cells.map((cell) =>
    [
      attackName(cell),
      percentWithInterval(cell.attackAccuracy, 1),
      percentWithInterval(cell.floors.randomPrior, 1),
      percentWithInterval(cell.floors.initialSelection, 1),
      count(cell.attackAccuracy.n),
      `${cell.evaluationModel.kind} (${percentWithInterval(cell.evaluationModel.naturalAccuracy, 1)})`,
    ].join(" | "),
  );
  return `---
library_name: onnx
pipeline_tag: image-classification
tags: [model-inversion, privacy, tl-dmi]
---

# ${label}, seed ${seed}

An image classifier of ${count(classes.length)} classes, ${model.kind}, for research on model inversion. Its private images are those of the data
source \`${data}\`, which anyone can have: it keeps no secret.

\`model.onnx\` takes "images" [batch, ${input.join(", ")}] with values in [0, 1] and gives "logits" [batch, ${classes.length}]. Weights of more than one axis are
stored as float16 and cast to float32 in the graph. Names of the classes are in the file's metadata (\`labels\`).

## Defense

${boundary === null ? `\`${label}\`: all ${count(trainableParameters)} parameters saw private images.` : `\`${label}\`: everything up to ${boundary} is as pre-trained; the rest, ${share} of the parameters, saw private images.`}

## Usefulness

Natural accuracy: ${percentWithInterval(naturalAccuracy, 1)} of ${count(naturalAccuracy.n)} private test images (95 % interval).

## Leak

| attack | attack accuracy | floor: random prior | floor: best of the start pool | reconstructions | judge, and its accuracy on real images |
| --- | --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |`).join("\n")}

Brackets are 95 % intervals. An attack that does not rise above both floors found nothing by its search. Not measured: other attacks, and
people who judge by eye.
`;
}
