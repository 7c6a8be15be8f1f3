import { readFileSync } from "node:fs";

/** The process's own peak resident memory. Where Linux says it: what `getrusage` reports also counts the parent before a fork. */
export function peakBytes(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // no such file on this system
  }
  return process.resourceUsage().maxRSS * 1024;
}
