import { CommanderError } from "commander";
import { expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { Interrupted } from "../study/interrupted.ts";
import { endingOf } from "./errors.ts";

test("a user's mistake is its message alone, with its own code", () => {
  expect(endingOf(new UserError("a.yaml:1:2  x  missing"))).toEqual({
    message: "error: a.yaml:1:2  x  missing",
    exitCode: 2,
  });
  expect(endingOf(new UserError("loss is NaN", 4)).exitCode).toBe(4);
  expect(endingOf(new UserError("a.yaml:1:2  x\na.yaml:2:2  y")).message).toBe("error:\na.yaml:1:2  x\na.yaml:2:2  y");
});

test("an interruption leaves with 130 and says how to go on", () => {
  for (const error of [new Interrupted("target"), new DOMException("stopped", "AbortError")]) {
    expect(endingOf(error)).toEqual({ message: expect.stringContaining("same command to resume"), exitCode: 130 });
  }
});

test("usage errors leave with 2 and help with 0; both are printed already", () => {
  expect(endingOf(new CommanderError(1, "commander.unknownOption", "x"))).toEqual({ message: "", exitCode: 2 });
  expect(endingOf(new CommanderError(0, "commander.helpDisplayed", "x"))).toEqual({ message: "", exitCode: 0 });
});

test("a full disk is no bug, and the rest of the study is usable", () => {
  const full = Object.assign(new Error("ENOSPC"), { code: "ENOSPC", path: "runs/a" });
  expect(endingOf(full)).toEqual({ message: expect.stringMatching(/^error: runs\/a: the disk is full/), exitCode: 4 });
});

test.each([
  [
    { code: "EACCES", path: "out/.y.onnx.5b431e5a-0000-4000-8000-000000000000.tmp" },
    /^error: out\/y\.onnx: permission denied/,
  ],
  [{ code: "ENOTDIR", path: "a-file/b", syscall: "mkdir" }, /^error: a-file\/b: a file lies where a folder is needed/],
  [{ code: "EEXIST", path: "a-file", syscall: "mkdir" }, /^error: a-file: a file lies where a folder is needed/],
])("what cannot be written is named as it was asked for: %o", (properties, message) => {
  const ending = endingOf(Object.assign(new Error("no"), properties));
  expect(ending).toEqual({ message: expect.stringMatching(message), exitCode: 2 });
});

test("a file that should not be there yet is a bug", () => {
  expect(endingOf(Object.assign(new Error("no"), { code: "EEXIST", syscall: "open" })).exitCode).toBe(1);
});

test("anything else is a bug: its stack, a request to report it, and 1", () => {
  const { message, exitCode } = endingOf(new TypeError("x is undefined"));
  expect(exitCode).toBe(1);
  expect(message).toMatch(/^TypeError: x is undefined\n {4}at /);
  expect(message).toContain("please report it");
  expect(endingOf("a text").exitCode).toBe(1);
  expect(endingOf(Object.assign(new Error("m"), { code: "toString" })).exitCode).toBe(1);
});
