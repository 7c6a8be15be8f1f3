import { z } from "zod";

// What both sides' processes say, a line of JSON each. They are told `{"run": n}` and end when their standard input does.

/** The two numbers in which both sides must agree: loss and gradient norm of a step, or what a job says in their place. */
export const Check = z.object({ loss: z.number(), norm: z.number() });
export type Check = z.output<typeof Check>;

/** Milliseconds of each run that was asked for. */
export const Times = z.object({ ms: z.array(z.number()) });

/** The process's peak resident memory. */
export const Peak = z.object({ peakBytes: z.number() });

/** The files of a case's folder; the runtime adds a time to the profile's name. */
export const FILES = {
  spec: "case.json",
  tensors: "tensors.safetensors",
  images: "images.u8",
  profile: "profile",
} as const;
