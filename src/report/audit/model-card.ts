import { dirname, join } from "node:path";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import type { DefendFacts } from "../../study/audit/defend.ts";
import { versions } from "../../study/provenance.ts";
import { count, percent, percentWithInterval } from "../numbers.ts";
import { sentencesOf, summarize } from "../summary.ts";
import { leftOutSentences, tooDearSentence } from "./verdict.ts";

/** Name of a defended model's card, beside the model. */
const CARD_FILE = "MODEL_CARD.md";

/** Writes the card of a defended model beside it, and gives its path. */
export async function writeModelCard(facts: DefendFacts): Promise<string> {
  const path = join(dirname(facts.onnx), CARD_FILE);
  await writeFileAtomic(path, modelCard(facts));
  return path;
}

/** A card in the form of model hubs: what the model is, what it was trained on, how useful it is, and what is known of its leak. */
export function modelCard(facts: DefendFacts): string {
  const { model, architecture, input, images, classes, newHead, epochs, boundary, naturalAccuracy } = facts;
  const { batch = "batch" } = facts;
  const [channels, height, width] = input;
  const share = boundary.trainableParameters / (boundary.trainableParameters + boundary.frozenParameters);
  const head = newHead ? "Its head is new." : "Its head starts from the file's.";
  const sections: (readonly [string, readonly string[]])[] = [
    [
      "Model",
      [
        `An image classifier of ${count(classes.length)} classes, ${architecture}, from the weights of ${model}. ${head}`,
        `It takes "images" [${batch}, ${channels}, ${height}, ${width}] with values in [0, 1] and gives "logits" [${batch}, ${classes.length}]. Names of the classes are in the file's metadata (\`labels\`).`,
      ],
    ],
    [
      "Data",
      [
        `Private images: ${count(images.train)} to train, ${count(images.validation)} to choose the epoch, ${count(images.test)} to measure natural accuracy. They are not in this folder. Public images, for the attacker: ${count(images.public)}.`,
        "The weights of the file count as public: whatever they know of the private people already, this defense does not take away.",
      ],
    ],
    [
      "Defense",
      [
        `TL-DMI (Ho et al., CVPR 2024): everything up to ${boundary.stage} is as in the file, and these images did not train it; the rest, ${percent(share)} of the parameters, was trained on them for at most ${epochs} epochs.`,
        boundaryReason(facts),
        "It makes model inversion harder. It is no guarantee, as differential privacy is.",
      ],
    ],
    [
      "Usefulness",
      [
        `Natural accuracy: ${percentWithInterval(naturalAccuracy, 1)} of ${count(naturalAccuracy.n)} private test images (95 % interval).`,
      ],
    ],
    ["Leak", leak(facts)],
    [
      "Reproduce",
      [
        `\`tldmi run study.yaml\` in this folder trains this model and an undefended one and attacks both (tl-dmi ${versions().package}, seed 1).`,
      ],
    ],
  ];
  const body = sections.map(([title, lines]) => `## ${title}\n\n${lines.join("\n\n")}\n`).join("\n");
  return `---\nlibrary_name: onnx\npipeline_tag: image-classification\ntags: [model-inversion, privacy, tl-dmi]\n---\n\n# ${model}, defended with TL-DMI\n\n${body}`;
}

function boundaryReason({ boundary: { fisher } }: DefendFacts): string {
  if (fisher === undefined) return "The boundary was named by hand.";
  return `The boundary was chosen by Fisher information: what is frozen holds ${percent(fisher.inversion)} of that of inversion and ${percent(fisher.classification)} of that of classification.`;
}

function leak({ audit }: DefendFacts): readonly string[] {
  const never = "Not measured: other attacks than those named here, and people who judge by eye.";
  if (audit === undefined)
    return [
      "Nothing was measured: no attack was run on this model. `tldmi defend … --audit`, or `tldmi run study.yaml` in this folder, does that.",
    ];
  const { paragraphs, limits } = summarize(audit.result, "in the report");
  const told = paragraphs.map((paragraph) => [`${paragraph.title}:`, ...sentencesOf(paragraph)].join(" "));
  const left = tooDearSentence(audit.tooDear, null);
  return [...told, ...limits, ...(left === undefined ? [] : [left]), ...leftOutSentences(audit.leftOut), never];
}
