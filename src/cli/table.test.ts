import { expect, test } from "vitest";
import { table } from "./table.ts";

test("columns line up on the side they ask for, without blanks at the end of lines", () => {
  const rows = [
    ["none", "97.1"],
    ["tl-dmi", "4"],
  ];
  expect(table([{ title: "defense" }, { title: "top-1", align: "right" }], rows)).toBe(
    ["defense  top-1", "none      97.1", "tl-dmi       4", ""].join("\n"),
  );
  expect(
    table(
      [{ title: "a" }, { title: "b" }],
      [
        ["1", "x"],
        ["222", ""],
      ],
    ),
  ).toBe("a    b\n1    x\n222\n");
});

test("a table without headings has its rows alone, one without rows is empty", () => {
  expect(table([{ title: "" }, { title: "" }], [["a", "b"]])).toBe("a  b\n");
  expect(table([{ title: "a" }], [])).toBe("");
});
