import { expect, test } from "vitest";
import { mapClasses } from "./class-mapping.ts";

const folders = ["Ada Lovelace", "bea", "cy"];

test("classes without names are the folders in the order of their names, and that is said", () => {
  const found = mapClasses("m.onnx", folders, { classes: 3 });
  expect(found).toMatchObject({ by: "order", folders });
  expect(found.statement).toContain("0 = Ada Lovelace, 1 = bea, 2 = cy");
});

test.each([[["0", "1", "2"]], [["class_0", "class_1", "class_2"]]])("numbers are no names: %s", (labels) => {
  expect(mapClasses("m.onnx", folders, { classes: 3, labels })).toMatchObject({
    by: "order",
    statement: expect.stringContaining("The model numbers its classes and does not name them."),
  });
});

const digits = Array.from({ length: 12 }, (_, i) => String(i));

test("numbers are names where folders bear them, whatever their order as text", () => {
  const found = mapClasses("m.onnx", digits.toSorted(), { classes: 12, labels: digits });
  expect(found).toMatchObject({ by: "names", folders: digits });
});

test("where one folder bears a number, another that bears none is a mistake, and no reason to go by order", () => {
  const known = { classes: 3, labels: ["0", "1", "2"] };
  expect(() => mapClasses("m.onnx", ["0", "1", "two"], known)).toThrow(
    "m.onnx names the classes '0', '1', '2', and private folders are named otherwise. Without a class: 'two'. Without a folder: '2'. " +
      "Rename the folders, or say their names in the order of the model's classes: --labels ada,bea,…",
  );
});

test("of many classes the first are named", () => {
  const known = { classes: 12, labels: digits.map((digit) => `person ${digit}x`) };
  const some = [...known.labels.slice(0, 6), ...digits.slice(6)];
  expect(() => mapClasses("m.onnx", some, known)).toThrow(
    /names the classes 'person 0x', .+ 'person 4x' and 7 more, .+ Without a class: '6', '7', '8', '9', '10' and 1 more\. .+ and 1 more\. Rename/,
  );
});

test("numbers that the user gives are names: what they advise is done, and what no folder bears is refused", () => {
  const backwards = digits.toReversed();
  const given = { classes: 12, labels: backwards, labelsGiven: true };
  expect(mapClasses("m.pth", digits.toSorted(), given)).toMatchObject({ by: "names", folders: backwards });
  const wrong = { classes: 3, labels: ["0", "1", "2"], labelsGiven: true };
  expect(() => mapClasses("m.onnx", folders, wrong)).toThrow(
    /^--labels names the classes '0', '1', '2', .+ Without a class: 'Ada Lovelace', 'bea', 'cy'\./,
  );
});

test("folders named by numbers that stand as text are told of", () => {
  const { statement } = mapClasses("m.pth", digits.toSorted(), {});
  expect(statement).toContain("0 = 0, 1 = 1, 2 = 10, 3 = 11, 4 = 2, …. These numbers were sorted as text");
  expect(statement).toMatch(/--labels 0,1,2,3,4,…$/);
  expect(mapClasses("m.pth", digits.slice(0, 10), {}).statement).not.toContain("sorted as text");
});

test("names decide the order; case, blanks, hyphens and underscores do not count", () => {
  const found = mapClasses("m.onnx", folders, { classes: 3, labels: ["CY", "ada_lovelace", "bea"] });
  expect(found).toMatchObject({ by: "names", folders: ["cy", "Ada Lovelace", "bea"] });
});

test.each([
  [{ classes: 4 }, /m\.onnx knows 4 classes, the private images lie in 3 folders/],
  [
    { classes: 4, labels: ["ada lovelace", "bea", "cy", "dee"] },
    /one folder for each class\. Without a folder: 'dee'\.$/,
  ],
  [{ labels: ["ada lovelace", "bea"] }, /knows 2 classes, the private images lie in 3 folders/],
  [{ classes: 3, labels: ["ada lovelace", "bea"] }, /knows 3 classes, but 2 names of classes are given/],
  [{ classes: 3, labels: ["ada lovelace", "bea", "dee"] }, /Without a class: 'cy'\. Without a folder: 'dee'\. Rename/],
  [{ labels: ["ada lovelace", "bea"] }, /Without a class: 'cy'\.$/],
  [{ classes: 3, labels: ["bea", "bea", "cy"] }, /two of its classes have the same name as one folder/],
])("refuses what does not fit: %o", (known, message) => {
  expect(() => mapClasses("m.onnx", folders, known)).toThrow(message);
});
