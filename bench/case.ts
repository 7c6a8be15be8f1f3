/** A classifier of `src/models`, at a width and for a number of identities. Images are `side × side` with three channels. */
export interface Classifier {
  readonly model: "resnet18" | "resnet10" | "resnet50" | "vgg16_bn" | "vit_b_16" | "mobilenet_v2";
  /** Channels of the first stage; length of a token of a transformer; of a MobileNet the factor on every number of channels. */
  readonly width: number;
  /** The first layers of a ResNet: `small` for up to 64×64, `imagenet` as in torchvision. */
  readonly stem?: "small" | "imagenet";
  readonly side: number;
  readonly classes: number;
}

/** A training step of a target: all weights where `boundary` is null, else TL-DMI's with the stages up to `boundary` frozen. */
export interface TrainSpec extends Classifier {
  readonly kind: "train";
  readonly boundary: string | null;
  readonly batch: number;
  /** A defense whose terms are added to the loss. */
  readonly defense?: "bido-hsic";
}

/** An epoch of TL-DMI without augmentation: ours has cached what the frozen stages hand on, PyTorch computes it each time. */
export interface EpochSpec extends Classifier {
  readonly kind: "epoch";
  readonly boundary: string;
  readonly batch: number;
  /** A multiple of the batch. */
  readonly images: number;
}

/** Sums of squared per-example gradients of a batch: what Fisher information is made of. */
export interface FisherSpec extends Classifier {
  readonly kind: "fisher";
  readonly batch: number;
}

/** One iteration of an attack on `batch` latents, the prior's networks at `priorWidth`. */
export interface AttackSpec extends Classifier {
  readonly kind: "gmi" | "kedmi" | "plg-mi";
  readonly batch: number;
  readonly priorWidth: number;
}

/** One step of a player of WGAN-GP on `batch` images. */
export interface GanSpec {
  readonly kind: "critic" | "generator";
  readonly side: number;
  readonly batch: number;
  readonly priorWidth: number;
}

/** One step of a player of PLG-MI's conditional GAN on `batch` images, guided by the classifier. */
export interface PlgGanSpec extends Classifier {
  readonly kind: "plg-critic" | "plg-generator";
  readonly batch: number;
  readonly priorWidth: number;
}

/** Logits and features of a set of `images` images, from bytes in memory. */
export interface EvaluateSpec extends Classifier {
  readonly kind: "evaluate";
  readonly batch: number;
  readonly images: number;
}

/** Shuffled batches of a set of `images` images on disk, as floats in memory. */
export interface LoadSpec {
  readonly kind: "load";
  readonly side: number;
  readonly batch: number;
  readonly images: number;
}

/** The command line from its start to its end. */
export interface StartSpec {
  readonly kind: "start";
  readonly args: readonly string[];
}

/** What both sides compute, by name; the peer reads the same object as JSON. */
export type ComputeSpec =
  | TrainSpec
  | EpochSpec
  | FisherSpec
  | AttackSpec
  | GanSpec
  | PlgGanSpec
  | EvaluateSpec
  | LoadSpec;

/** The least that a case must reach. Speeds are the peer's time over ours. */
export interface Goals {
  /** Against the strongest peer, with the allocator tuned. */
  readonly tuned?: number;
  /** Against the strongest peer as installed. */
  readonly default?: number;
  /** Share of the machine's measured peak of fused multiply-adds. */
  readonly peak?: number;
  /** Longest time in seconds. */
  readonly seconds?: number;
}

/** One row of the benchmark. */
export interface BenchCase {
  /** `train/resnet18/64px/b64`; what `--only` looks in. */
  readonly id: string;
  readonly spec: ComputeSpec | StartSpec;
  readonly goals: Goals;
  /** Whether the PyTorch peer takes part. */
  readonly peer: boolean;
  /** Whether torch.compile is tried: compiling takes longer than all else, so one case of each kind of step has it. */
  readonly compiled: boolean;
  /** Whether it runs when nothing is said. */
  readonly standard: boolean;
  /** The curve that the case is a point of, and where on it. */
  readonly growth?: {
    readonly along: "batch" | "side" | "identities" | "images";
    readonly curve: string;
    /** Set at two points of a curve between which memory should not grow: the page says whether it did. */
    readonly level?: true;
  };
}

/** What a step does once: images, or latents that become images. A loading or evaluation job handles all of its images. */
export function imagesOf(spec: ComputeSpec): number {
  return "images" in spec ? Math.min(spec.images, LOADED_AT_MOST) : spec.batch;
}

/** Images that a loading job reads of a larger set: the time an image is asked about, not the time of a pass. */
export const LOADED_AT_MOST = 4096;
