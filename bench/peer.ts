import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { BenchCase } from "./case.ts";
import { root } from "./root.ts";
import type { Command } from "./side.ts";

/** How the peer computes: the layout of its tensors, or compiled. */
export const LAYOUTS = ["nchw", "channels_last", "compile"] as const;
export type Layout = (typeof LAYOUTS)[number];

/** `default`: as people get it. `tuned`: glibc keeps freed memory, so that large tensors are not mapped anew for each operation. */
export const ALLOCATORS = ["default", "tuned"] as const;
export type Allocator = (typeof ALLOCATORS)[number];

const TUNED = {
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "100000000000",
  MALLOC_TOP_PAD_: "268435456",
};

const About = z.object({ python: z.string(), torch: z.string(), compiler: z.boolean() });

/** PyTorch on this machine. */
export interface Peer extends z.output<typeof About> {
  readonly file: string;
}

const ASK = `
import json, os, platform, shutil, torch
compiler = any(shutil.which(name) for name in (os.environ.get("CXX"), "g++", "clang++") if name)
print(json.dumps({"python": platform.python_version(), "torch": torch.__version__, "compiler": compiler}))
`;

/** Finds the peer by TLDMI_BENCH_PYTHON, else `python3`; or says why there is none. */
export async function findPeer(env: NodeJS.ProcessEnv = process.env): Promise<Peer | { readonly missing: string }> {
  const file = env.TLDMI_BENCH_PYTHON ?? "python3";
  const hint = "set TLDMI_BENCH_PYTHON to a Python that has torch";
  try {
    const { stdout } = await promisify(execFile)(file, ["-c", ASK], { env });
    return { file, ...About.parse(JSON.parse(stdout)) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    if (text.includes("ENOENT")) return { missing: `no PyTorch peer: ${file} is not there; ${hint}` };
    if (text.includes("No module named 'torch'")) return { missing: `no PyTorch peer: ${file} has no torch; ${hint}` };
    return { missing: `no PyTorch peer: ${file} failed (${text.split("\n").at(-2) ?? text}); ${hint}` };
  }
}

/** The forms in which the peer is tried, each with a reason where it is not. @param time whether there is time for torch.compile */
export function formsOf(
  { spec, compiled }: BenchCase,
  peer: Peer,
  time: boolean,
): readonly (readonly [Layout, string | undefined])[] {
  if (spec.kind === "load") return [["nchw", undefined]];
  return [
    ["nchw", undefined],
    ["channels_last", undefined],
    ["compile", uncompiled(spec.kind, compiled, peer, time)],
  ];
}

function uncompiled(kind: string, compiled: boolean, peer: Peer, time: boolean): string | undefined {
  if (kind === "critic") return "torch.compile has no gradients of gradients";
  if (!compiled) return "not tried: one case of each kind of step is compiled";
  if (!peer.compiler) return "not tried: torch.compile needs a C++ compiler, and none is there";
  return time ? undefined : "not tried: no time for torch.compile was left in the budget";
}

/** The allocators there are: glibc alone reads the settings of the tuned one. */
export function allocators(): readonly Allocator[] {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? ["default"] : ALLOCATORS;
}

/** The process that computes a case's folder with PyTorch. */
export function peerCommand(
  peer: Peer,
  { folder, layout, allocator, threads, kind }: PeerRun & { readonly folder: string },
): Command {
  return {
    what: `PyTorch (${layout}, ${allocator} allocator)`,
    file: peer.file,
    args: [join(root, "bench", "peer", "worker.py"), folder, layout, String(threads)],
    env: {
      ...(allocator === "tuned" ? TUNED : {}),
      // Fixed weights are folded into the compiled code, as ours are into the graph.
      ...(kind === "evaluate" ? { TORCHINDUCTOR_FREEZING: "1" } : {}),
      TORCHINDUCTOR_CACHE_DIR: join(root, ".cache", "bench", "inductor"),
      PYTHONDONTWRITEBYTECODE: "1",
    },
  };
}

interface PeerRun {
  readonly layout: Layout;
  readonly allocator: Allocator;
  readonly threads: number;
  readonly kind: string;
}
