import { spawn } from "node:child_process";
import { join } from "node:path";
import type { BenchCase, StartSpec } from "./case.ts";
import type { Row } from "./result.ts";
import { root } from "./root.ts";
import { spreadOf } from "./statistics.ts";

/** Written to the standard error by the process itself as it ends; its own words there come before. */
const PEAK = /peakBytes=(\d+)\s*$/;
const SAY_PEAK = `data:text/javascript,${encodeURIComponent(`
import { readFileSync } from "node:fs";
process.on("exit", () => {
  let kilobytes = process.resourceUsage().maxRSS;
  try { kilobytes = /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]; } catch {}
  process.stderr.write("peakBytes=" + kilobytes * 1024 + "\\n");
});`)}`;

/** Times the command line from its start to its end; its peak memory is taken in one run more. */
export async function runStartUp(benchCase: BenchCase & { spec: StartSpec }, quick: boolean): Promise<Row> {
  const { id, goals, spec } = benchCase;
  const command = [join(root, "dist", "cli", "main.js"), ...spec.args];
  const { stderr } = await timed(["--import", SAY_PEAK, ...command]);
  const ms: number[] = [];
  for (let i = 0; i < (quick ? 3 : 15); i++) ms.push((await timed(command)).ms);
  return { id, goals, ours: { ms: spreadOf(ms), peakBytes: Number(PEAK.exec(stderr)?.[1] ?? Number.NaN) }, tried: [] };
}

/** @throws Error with what the command wrote, where it fails. */
function timed(args: readonly string[]): Promise<{ ms: number; stderr: string }> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(process.execPath, [...args], { cwd: root, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve({ ms: performance.now() - start, stderr });
      else reject(new Error(`tldmi ${args.slice(1).join(" ")} ended with code ${code}: ${stderr.trim()}`));
    });
  });
}
