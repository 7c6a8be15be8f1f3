import { execFileSync } from "node:child_process";

/** A network namespace of Linux that one link joins to this process's own: a second machine, as far as connections can tell. */
export interface NetworkNamespace {
  /** This side's address, as programs inside reach it. */
  readonly host: string;
  /** A program with its first arguments that runs another one inside. */
  readonly within: readonly [program: string, ...args: string[]];
  /** Takes the link away: what is sent is lost, and neither side hears of it. */
  cut(): void;
  mend(): void;
  /** Removes namespace and link. */
  remove(): void;
}

/** Namespaces of ours, with the process that made them. */
const OURS = /^tldmi-(\d+)\b/;

const ip = (...args: readonly string[]) =>
  execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

/** Opens a namespace, one a process; undefined where that is not allowed, or there is no `ip`. */
export function openNamespace(): NetworkNamespace | undefined {
  const name = `tldmi-${process.pid}`;
  const [here, there] = [`tldmi${process.pid}a`, `tldmi${process.pid}b`];
  // A network of four addresses among those that are kept for tests of networks (RFC 2544).
  const at = (process.pid % 2 ** 14) * 4;
  const address = (offset: number) => `198.18.${at >> 8}.${(at % 256) + offset}`;
  const remove = () => {
    // The link first: a program that still runs inside would keep it.
    for (const args of [
      ["link", "del", here],
      ["netns", "del", name],
    ])
      try {
        ip(...args);
      } catch {
        // Not made yet, or gone with the other.
      }
  };
  try {
    removeLeftOver();
    ip("netns", "add", name);
    ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
    ip("address", "add", `${address(1)}/30`, "dev", here);
    ip("link", "set", here, "up");
    ip("-n", name, "address", "add", `${address(2)}/30`, "dev", there);
    ip("-n", name, "link", "set", there, "up");
  } catch {
    remove();
    return undefined;
  }
  return {
    host: address(1),
    within: ["ip", "netns", "exec", name],
    cut: () => ip("-n", name, "link", "set", there, "down"),
    mend: () => ip("-n", name, "link", "set", there, "up"),
    remove,
  };
}

/** Removes the namespaces of processes that were killed before they could. */
function removeLeftOver(): void {
  for (const line of ip("netns", "list").split("\n")) {
    const [name, pid] = OURS.exec(line) ?? [];
    if (name !== undefined && !isAlive(Number(pid))) ip("netns", "del", name);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
