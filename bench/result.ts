import { z } from "zod";
import { ALLOCATORS, LAYOUTS } from "./peer.ts";

// What a run of the benchmark leaves: one JSON file. Times are milliseconds of one step or job, memory is bytes.

const number = z.number();
const Spread = z.object({ median: number, low: number, high: number });
const Allocator = z.enum(ALLOCATORS);
const Layout = z.enum(LAYOUTS);

const Rival = z.object({
  layout: Layout,
  ms: Spread,
  peakBytes: number,
  /** The rival's time over ours, from turns of the same rounds: above 1 ours is faster. */
  ratio: Spread,
});

export type Rival = z.output<typeof Rival>;

const Goals = z.object({
  tuned: number.optional(),
  default: number.optional(),
  peak: number.optional(),
  seconds: number.optional(),
});

/** Where the time of one run of the graph goes, by the runtime's own profiler. */
const Profile = z.object({
  /** The whole run, nodes and what lies between them. */
  ms: number,
  /** Of convolutions and matrix products. */
  products: number,
  /** Of all other nodes, which only move or combine memory. */
  others: number,
  /** The kinds of node that take longest. */
  kinds: z.array(z.object({ kind: z.string(), ms: number, calls: number })),
  /** All further kinds. */
  rest: z.object({ kinds: number, ms: number, calls: number }),
});
export type Profile = z.output<typeof Profile>;

export const Row = z.object({
  id: z.string(),
  goals: Goals,
  growth: z
    .object({
      along: z.string(),
      curve: z.string(),
      at: number,
      /** Of two points of a curve: between them memory should not grow. */
      level: z.boolean().optional(),
    })
    .optional(),
  /** Images, or latents that become images, of one step or job. */
  images: number.optional(),
  /** Floating-point operations of one step or job, by the mathematics. */
  flops: number.optional(),
  ours: z.object({ ms: Spread, peakBytes: number }),
  /** Of a case that missed a goal of speed or of share of peak. */
  profile: Profile.optional(),
  /** The strongest peer under each allocator. */
  default: Rival.optional(),
  tuned: Rival.optional(),
  /** Every form of the peer, with its median time and how many times ours was faster, or why it was not tried. */
  tried: z.array(
    z.object({
      allocator: Allocator,
      layout: Layout,
      ms: number.optional(),
      ratio: number.optional(),
      reason: z.string().optional(),
    }),
  ),
});
export type Row = z.output<typeof Row>;

export const Result = z.object({
  format: z.literal("tl-dmi bench 1"),
  started: z.string(),
  /** `standard`, `quick`, or the pattern of `--only`. */
  selection: z.string(),
  machine: z.object({ cpu: z.string(), cores: number, memoryGiB: number }),
  versions: z.object({
    package: z.string(),
    node: z.string(),
    onnxruntime: z.string(),
    torch: z.string().optional(),
    python: z.string().optional(),
  }),
  threads: number,
  /** The best rate of a large matrix product through the runtime, GFLOP/s. */
  peakGflops: number,
  rows: z.array(Row),
});
export type Result = z.output<typeof Result>;
