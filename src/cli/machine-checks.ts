import { readFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { DEVICES, deviceNeeds } from "../engine/device.ts";
import type { DeviceState } from "../engine/runtime.ts";
import type { Check } from "./checks.ts";

/** Vector instructions that the runtime's kernels can use, as Linux names them: of x86 processors, and of ARM's. */
const VECTORS = [
  "sse4_2",
  "avx",
  "f16c",
  "fma",
  "avx2",
  "avx512f",
  "avx512_vnni",
  "amx_tile",
  "asimd",
  "asimddp",
  "sve",
];

/** Processors and what they can do at once; of the latter only Linux tells. */
export async function checkProcessors(): Promise<Check> {
  const told = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  const model = cpus()[0]?.model.trim() || process.arch;
  return { name: "processors", state: "ok", detail: `${availableParallelism()} of ${model}, ${vectorsIn(told)}` };
}

/** The vector instructions that a text such as /proc/cpuinfo names. */
export function vectorsIn(told: string): string {
  const has = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(told)?.[1]?.split(/\s+/));
  const known = VECTORS.filter((name) => has.has(name));
  return known.length > 0 ? `vector instructions ${known.join(", ")}` : "vector instructions not known here";
}

/** The C library of Linux that Node runs on: the runtime's programs need glibc. @param glibc its version, where it is there */
export function checkCLibrary(glibc: string | undefined, platform: NodeJS.Platform = process.platform): Check {
  const name = "c library";
  if (platform !== "linux") return { name, state: "ok", detail: `that of ${platform}` };
  if (glibc !== undefined) return { name, state: "ok", detail: `glibc ${glibc}` };
  return {
    name,
    state: "fail",
    detail: "not glibc (musl, as on Alpine Linux?), for which ONNX Runtime is built; use an image based on Debian",
  };
}

/** glibc's version, as Node was started with it; undefined where there is another C library. */
export function glibcVersion(): string | undefined {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}

/** One line a device. Only the processor must be usable: the others are there for who has them. */
export function checkDevices(states: readonly DeviceState[]): Check[] {
  return DEVICES.map((device) => {
    const problem = states.find((state) => state.device === device)?.problem;
    const name = `device ${device}`;
    if (problem === undefined) return { name, state: "ok", detail: "usable" };
    return device === "cpu"
      ? { name, state: "fail", detail: problem }
      : { name, state: "ok", detail: `not usable: ${problem}; ${deviceNeeds(device)}` };
  });
}
