import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { join } from "node:path";
import { runtimeInfo } from "../src/engine/runtime.ts";
import type { Peer } from "./peer.ts";
import type { Conditions } from "./result-file.ts";
import { root } from "./root.ts";

/** Machine and versions of a run, without names of hosts or folders. */
export function conditionsOf(selection: string, peer: Peer | undefined): Conditions {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return {
    format: "tl-dmi bench 1",
    selection,
    machine: {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: availableParallelism(),
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    },
    versions: {
      package: [version, ...commit()].join(" "),
      node: process.versions.node,
      onnxruntime: runtimeInfo().version,
      ...(peer && { torch: peer.torch, python: peer.python }),
    },
    threads: runtimeInfo().threads,
  };
}

/** The commit's first digits, with a + where files differ from it; nothing outside of a git checkout. */
function commit(): string[] {
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const changed =
      git("status", "--porcelain", "--untracked-files=no", "--", "src", "bench/peer", "bench/steps") !== "";
    return [`${git("rev-parse", "--short=10", "HEAD")}${changed ? "+" : ""}`];
  } catch {
    return [];
  }
}
