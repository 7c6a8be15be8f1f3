import { readFile, writeFile } from "node:fs/promises";

/** Begins a new count of the most memory that this process holds, where the system can (Linux); else the count goes on from its start. */
export async function resetPeakMemory(): Promise<void> {
  await writeFile("/proc/self/clear_refs", "5").catch(() => {});
}

/** The most memory that this process has held since `resetPeakMemory`, in bytes. */
export async function peakMemory(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return 1024 * (peak === undefined ? process.resourceUsage().maxRSS : Number(peak));
}
