import { expect, test } from "vitest";
import { inClassOrder, sortedNames } from "./class-order.ts";

const tree = {
  root: "faces",
  classes: ["ada", "bea"],
  files: [
    { path: "ada/1.png", label: 0 },
    { path: "ada/2.png", label: 0 },
    { path: "bea/1.png", label: 1 },
  ],
};

test("gives the folders other numbers, and their images with them", () => {
  expect(inClassOrder(tree, ["bea", "ada"])).toEqual({
    root: "faces",
    classes: ["bea", "ada"],
    files: [
      { path: "bea/1.png", label: 0 },
      { path: "ada/1.png", label: 1 },
      { path: "ada/2.png", label: 1 },
    ],
  });
  expect(inClassOrder(tree, undefined)).toBe(tree);
});

test.each([
  [["ada", "cy"], "there is no folder 'cy'"],
  [["ada"], "folder 'bea' is not named"],
  [["ada", "bea", "bea"], "a name stands twice"],
])("refuses %s", (names, what) => {
  expect(() => inClassOrder(tree, names)).toThrow(`data.classes must name each folder of faces once: ${what}`);
});

test.each([
  [
    ["10", "2", "-1", "0"],
    ["-1", "0", "2", "10"],
  ],
  [
    ["b10", "b2", "a"],
    ["a", "b10", "b2"],
  ],
  [
    ["2", "10", "x"],
    ["10", "2", "x"],
  ],
])("sorts %j to %j", (names, sorted) => {
  expect(sortedNames(new Set(names))).toEqual(sorted);
});
