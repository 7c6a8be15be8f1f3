import { spawn } from "node:child_process";
import type { CliIo } from "./io.ts";

/** Whether somebody sits before a screen on which a window can be opened: a terminal, no CI, and where X or Wayland draw, one of them. */
export function hasScreen({ stdout, env }: Pick<CliIo, "stdout" | "env">, platform: NodeJS.Platform): boolean {
  const said = (name: string) => (env[name] ?? "") !== "";
  if (stdout.isTTY !== true || said("CI") || said("SSH_CONNECTION")) return false;
  return platform === "win32" || platform === "darwin" || said("DISPLAY") || said("WAYLAND_DISPLAY");
}

/** What opens a file in the program that the user has chosen for its kind: a command and its arguments. */
export function openerOf(path: string, platform: NodeJS.Platform): readonly [string, readonly string[]] {
  if (platform === "darwin") return ["open", [path]];
  // Unlike cmd's `start`, it takes a path with & or ^ in it as it stands.
  if (platform === "win32") return ["rundll32", ["url.dll,FileProtocolHandler", path]];
  return ["xdg-open", [path]];
}

/** Opens a file for the user and does not wait. Where there is no program for it, nothing happens: its path has been printed. */
export function openFile(path: string): void {
  const [command, args] = openerOf(path, process.platform);
  const child = spawn(command, args, { detached: true, stdio: "ignore" });
  child.on("error", () => {});
  child.unref();
}
