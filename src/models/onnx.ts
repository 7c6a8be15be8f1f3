import { z } from "zod";
import { refusal } from "../engine/import/refusal.ts";
import { importedClassifier } from "./imported/classifier.ts";
import { readClassifierFile } from "./imported/file.ts";
import { readFacts } from "./imported/metadata.ts";
import { declaredImage, type ImageFormat } from "./imported/preprocess.ts";
import { verifyImport } from "./imported/verify.ts";
import { defineModel } from "./model.ts";

const PerChannel = z.array(z.number()).min(1).max(3);

const config = z.strictObject({
  file: z.string().min(1).describe("ONNX file; files of weights that it names lie beside it"),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits")
    .optional()
    .describe(
      "hash of the file (and of its files of weights), which then must be that; filled in where it is left out",
    ),
  weights: z
    .enum(["start", "target"])
    .default("start")
    .describe(
      "start: targets start from the file's weights; target: also, with the defense none, the file itself is the target",
    ),
  output: z.string().min(1).optional().describe("output with a logit or probability a class; by default the only one"),
  features: z
    .string()
    .min(1)
    .optional()
    .describe("tensor that is the feature vector, such as the output of a face recogniser; a new head goes behind it"),
  labels: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      "names of the file's classes in order, which a file that is the target must share with the data; by default the metadata's",
    ),
  layout: z
    .enum(["nchw", "nhwc"])
    .optional()
    .describe("where the channels of the file's input stand; by default the metadata's, else as its shape shows"),
  channels: z.enum(["rgb", "bgr"]).optional().describe("order of the channels; by default the metadata's, else rgb"),
  range: z
    .array(z.number())
    .length(2)
    .optional()
    .describe("numbers of black and white that the file expects; by default the metadata's, else [0, 1]"),
  mean: PerChannel.optional().describe("subtracted from each channel then; by default the metadata's, else 0"),
  std: z
    .array(z.number().positive())
    .min(1)
    .max(3)
    .optional()
    .describe("divides each channel then; by default the metadata's, else 1"),
});

/**
 * Any classifier as an ONNX file: cut into stages wherever one tensor alone passes on, with the file's names of weights. Its weights
 * start from the file. Images of another size are resized, grey ones repeated for networks of colour images.
 */
export const onnx = defineModel({
  kind: "onnx",
  summary: "your own classifier as an ONNX file, cut into stages, its weights the start weights",
  paper: "–",
  config,
  build(settings, { input, classes }) {
    const { file, features } = settings;
    const { graph, logits, sha256 } = readClassifierFile(file, features ?? settings.output, features !== undefined);
    if (settings.sha256 !== undefined && settings.sha256 !== sha256) {
      throw refusal(
        `${file} is another file than the one that was meant: its sha256 is ${sha256}, not ${settings.sha256}`,
      );
    }
    const [image, ...others] = graph.inputs;
    if (image === undefined || others.length > 0) {
      throw refusal(
        `${file}: a classifier has one input, this has ${graph.inputs.map((i) => i.name).join(", ") || "none"}`,
      );
    }
    const facts = readFacts(graph.metadata, file);
    const declared = declaredImage(image.dims, input, settings.layout ?? facts.layout, file);
    const perChannel = (key: "mean" | "std", otherwise: number): readonly number[] => {
      const list = settings[key] ?? facts[key] ?? [otherwise];
      if (list.length === 1) return Array<number>(declared.channels).fill(list[0]!);
      if (list.length === declared.channels) return list;
      throw refusal(`${file}: ${key} has ${list.length} numbers for ${declared.channels} channels`);
    };
    const format: ImageFormat = {
      ...declared,
      range: (settings.range as [number, number] | undefined) ?? facts.range ?? [0, 1],
      mean: perChannel("mean", 0),
      std: perChannel("std", 1),
      order: settings.channels ?? facts.channels ?? "rgb",
    };
    const { model, ownHead, fileClasses } = importedClassifier({
      graph,
      imageInput: image.name,
      format,
      output: logits,
      headless: features !== undefined,
      image: input,
      classes,
    });
    const { layout, channels, height, width } = format;
    const taken = layout === "nchw" ? [channels, height, width] : [height, width, channels];
    const verify = () => verifyImport(file, features ?? settings.output, taken);
    const labels = settings.labels ?? facts.labels;
    return {
      ...model,
      imported: { file, ownHead, verify, ...(fileClasses && { classes: fileClasses }), ...(labels && { labels }) },
    };
  },
});
