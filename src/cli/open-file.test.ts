import { expect, test } from "vitest";
import { hasScreen, openerOf } from "./open-file.ts";

const io = (env: Record<string, string>, isTTY = true) => ({ stdout: { write: () => true, isTTY }, env });

test.each([
  ["a desktop's terminal", io({ DISPLAY: ":0" }), "linux", true],
  ["Wayland", io({ WAYLAND_DISPLAY: "wayland-0" }), "linux", true],
  ["a console without a display", io({ DISPLAY: "" }), "linux", false],
  ["a Mac", io({}), "darwin", true],
  ["Windows", io({}), "win32", true],
  ["a pipe", io({ DISPLAY: ":0" }, false), "linux", false],
  ["a continuous integration with a terminal", io({ DISPLAY: ":0", CI: "true" }), "linux", false],
  ["a Mac reached over SSH", io({ SSH_CONNECTION: "10.0.0.1 22 10.0.0.2 22" }), "darwin", false],
] as const)("a window is opened where somebody can see it: %s", (_, at, platform, opened) => {
  expect(hasScreen(at, platform)).toBe(opened);
});

test("each system's own opener gets the path as it stands", () => {
  const path = "a folder/report & more.html";
  expect(openerOf(path, "linux")).toEqual(["xdg-open", [path]]);
  expect(openerOf(path, "darwin")).toEqual(["open", [path]]);
  expect(openerOf(path, "win32")).toEqual(["rundll32", ["url.dll,FileProtocolHandler", path]]);
});
