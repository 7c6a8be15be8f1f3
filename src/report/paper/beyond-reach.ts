import type { BeyondReach } from "./claim.ts";

/** What the paper says and nothing here can decide. */
export const beyondReach: readonly BeyondReach[] = [
  {
    title: "The figures themselves on CelebA, FaceScrub, VGGFace2, Stanford Dogs and Stanford Cars",
    said: "Tables and figures of natural and attack accuracy on these sets, with start weights from ImageNet-1K and MS-Celeb-1M.",
    why:
      "these sets may not be shipped, and drawn people show how defenses compare on these images, never those numbers " +
      "([rankings.md](rankings.md) says how often published orders came out otherwise). " +
      "[configs/papers](../../configs/papers/README.md) holds the settings for who has the images.",
  },
  {
    title: "High resolution, 224×224",
    said: "PPA on ResNet, and others, at 224×224 with a StyleGAN of FFHQ.",
    why: "two cores do not train such a prior, nor targets of that size, in days.",
  },
  {
    title: "People recognise fewer reconstructions",
    said: "A user study on 530 classes of FaceScrub.",
    why: "it needs people. `tldmi user-study` makes one of any study ([judges.md](../judges.md)).",
  },
];
