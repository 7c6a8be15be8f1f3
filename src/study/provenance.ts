import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, totalmem } from "node:os";
import { promisify } from "node:util";
import { currentDevice } from "../engine/device.ts";

/** Versions of what a result depends on. */
export interface Versions {
  /** This package's version. */
  readonly package: string;
  readonly node: string;
  readonly onnxruntime: string;
}

/** Where and with what something was computed; flat, so that it goes into records and reports as it is. */
export type Provenance = Readonly<Record<string, string | number | boolean>>;

/** The versions of this package, Node and ONNX Runtime; `unknown` where a package's own record is missing. */
export function versions(): Versions {
  return {
    package: packageVersion(new URL("../../package.json", import.meta.url)),
    node: process.versions.node,
    onnxruntime: installedVersion("onnxruntime-node"),
  };
}

/**
 * Versions, machine, threads, the device where it is not the processor and, where `cwd` lies in a git checkout, its commit and whether
 * it has changes.
 * Summation order, and with it the last digits of results, depends on the machine kind and on `threads`.
 */
export async function provenance(threads: number, cwd: string = process.cwd()): Promise<Provenance> {
  const device = currentDevice();
  return { ...versions(), ...machine(), threads, ...(device !== "cpu" && { device }), ...(await gitState(cwd)) };
}

function machine(): Provenance {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    platform: `${process.platform}-${process.arch}`,
  };
}

async function gitState(cwd: string): Promise<Provenance> {
  const git = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)("git", args, { cwd, timeout: 5000, maxBuffer: 2 ** 24 });
    return stdout.trim();
  };
  try {
    return {
      gitCommit: await git("rev-parse", "HEAD"),
      gitDirty: (await git("status", "--porcelain", "--untracked-files=no")) !== "",
    };
  } catch {
    // No git, no checkout, or no commit yet: the record then simply has no commit.
    return {};
  }
}

function installedVersion(name: string): string {
  try {
    return packageVersion(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return "unknown";
  }
}

function packageVersion(path: string | URL): string {
  const content: unknown = JSON.parse(readFileSync(path, "utf8"));
  const version = typeof content === "object" && content !== null && "version" in content ? content.version : undefined;
  return typeof version === "string" ? version : "unknown";
}
