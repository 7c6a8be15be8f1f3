import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";
import { unionOf } from "../models/union.ts";
import { parseYamlConfig, readYamlConfig } from "./yaml-config.ts";

const Defense = unionOf([
  { kind: "none", config: z.object({}) },
  { kind: "tl-dmi", config: z.object({ freeze: z.string(), epochs: z.int().min(1).default(12) }) },
]);
const Study = z.strictObject({
  name: z.string(),
  seeds: z.array(z.int()).nonempty().default([1]),
  style: z.enum(["near", "middle", "far"]).default("near"),
  defenses: z.array(Defense).nonempty(),
  size: z.union([z.number(), z.strictObject({ width: z.number() })]).optional(),
  tail: z
    .string()
    .regex(/^layer/)
    .optional(),
});

/** The lines of the error that the text gives. */
function errors(text: string): string[] {
  try {
    parseYamlConfig(Study, text, "study.yaml");
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error instanceof UserError ? error.message.split("\n") : [];
  }
  throw new Error("expected the text to be refused");
}

test("a right file gives its values with defaults filled in", () => {
  const text = "name: a\ndefenses: [none, { kind: tl-dmi, freeze: layer2 }]\n";
  expect(parseYamlConfig(Study, text, "study.yaml")).toEqual({
    name: "a",
    seeds: [1],
    style: "near",
    defenses: [{ kind: "none" }, { kind: "tl-dmi", freeze: "layer2", epochs: 12 }],
  });
});

describe("unknown keys", () => {
  test("are shown at the key itself with the near miss", () => {
    expect(errors("name: a\ndefenses:\n  - none\n  - kind: tl-dmi\n    freeze: layer2\n    epoch: 3\n")).toEqual([
      'study.yaml:6:5  defenses[1].epoch  unknown key "epoch"; did you mean "epochs"?',
    ]);
  });

  test("far from every allowed key list what is allowed, defaults included", () => {
    expect(errors("name: a\ncolour: red\ndefenses: [none]\n")).toEqual([
      'study.yaml:2:1  colour  unknown key "colour"; allowed: name, seeds, style, defenses, size, tail',
    ]);
  });

  test("of the member that the kind names are the ones suggested", () => {
    expect(errors("name: a\ndefenses: [{ kind: none, freze: layer2 }]\n")).toEqual([
      'study.yaml:2:26  defenses[0].freze  unknown key "freze"; allowed: kind',
    ]);
  });
});

describe("kinds", () => {
  test("that are unknown name the allowed ones and the near miss, as a bare word or as a key", () => {
    expect(errors("name: a\ndefenses: [tl_dmi, { kind: nonne }]\n")).toEqual([
      'study.yaml:2:12  defenses[0]  unknown kind "tl_dmi"; did you mean "tl-dmi"? (allowed: none, tl-dmi)',
      'study.yaml:2:28  defenses[1].kind  unknown kind "nonne"; did you mean "none"? (allowed: none, tl-dmi)',
    ]);
  });

  test("that are missing or no word at all are said to be so", () => {
    expect(errors("name: a\ndefenses: [{ freeze: layer2 }, 5]\n")).toEqual([
      'study.yaml:2:12  defenses[0]  missing key "kind"; allowed: none, tl-dmi',
      "study.yaml:2:32  defenses[1]  expected a mapping (key: value), got 5",
    ]);
  });
});

describe("values", () => {
  test("of a wrong type say what was expected and what was given", () => {
    expect(errors("name: 3\nseeds: [1, two, 1.5]\ndefenses: none\n")).toEqual([
      "study.yaml:1:7  name  expected a text, got 3",
      'study.yaml:2:12  seeds[1]  expected a number, got the text "two"',
      "study.yaml:2:17  seeds[2]  expected a whole number, got 1.5",
      'study.yaml:3:11  defenses  expected a list, got the text "none"',
    ]);
  });

  test("that are missing are shown at what should hold them", () => {
    expect(errors("# nothing here\nseeds: [1]\n")).toEqual([
      "study.yaml:2:1  name  missing; expected a text",
      "study.yaml:2:1  defenses  missing; expected a list",
    ]);
  });

  test("outside their range, form or choice say which is right", () => {
    const text =
      "name: a\nseeds: []\nstyle: nearr\ntail: head\ndefenses:\n  - { kind: tl-dmi, freeze: a, epochs: 0 }\n";
    expect(errors(text)).toEqual([
      "study.yaml:2:8  seeds  expected a list of at least 1 item, got an empty list",
      'study.yaml:3:8  style  expected one of "near", "middle", "far", got the text "nearr"; did you mean "near"?',
      'study.yaml:4:7  tail  expected a text of the form /^layer/, got the text "head"',
      "study.yaml:6:40  defenses[0].epochs  expected a number of at least 1, got 0",
    ]);
  });

  test("of a plain union name all types, or what is wrong in the nearest member", () => {
    expect(errors("name: a\ndefenses: [none]\nsize: big\n")).toEqual([
      'study.yaml:3:7  size  expected a number or a mapping (key: value), got the text "big"',
    ]);
    expect(errors("name: a\ndefenses: [none]\nsize: { widht: 3 }\n")).toEqual([
      "study.yaml:3:7  size.width  missing; expected a number",
      'study.yaml:3:9  size.widht  unknown key "widht"; did you mean "width"?',
    ]);
  });

  test("reached through an alias are shown at the anchor", () => {
    expect(errors("name: a\ndefenses:\n  - &d { kind: none, x: 1 }\n  - *d\n")).toEqual([
      'study.yaml:3:22  defenses[0].x  unknown key "x"; allowed: kind',
      'study.yaml:3:22  defenses[1].x  unknown key "x"; allowed: kind',
    ]);
  });
});

describe("text that is not YAML", () => {
  test("is shown with line and column", () => {
    expect(errors("name: a\ndefenses: [none\nseeds: [1]\n")[0]).toMatch(/^study\.yaml:3:\d+ {2}\S/);
    expect(errors("name: a\nname: b\n")[0]).toMatch(/^study\.yaml:2:1 {2}map keys must be unique/);
  });

  test("such as an empty file or a bare word expects a mapping", () => {
    expect(errors("")).toEqual(["study.yaml:1:1  expected a mapping (key: value), got nothing (null)"]);
    expect(errors("hello")).toEqual(['study.yaml:1:1  expected a mapping (key: value), got the text "hello"']);
  });

  test("such as an alias without its anchor or an unknown tag is refused", () => {
    expect(errors("name: *nobody\ndefenses: [none]\n")[0]).toMatch(/^study\.yaml:1:\d+ {2}unresolved alias/);
    expect(errors("name: !secret a\ndefenses: [none]\n")[0]).toMatch(/^study\.yaml:1:7 {2}unresolved tag/);
  });
});

test("a missing file and a folder are told apart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tldmi-"));
  await expect(readYamlConfig(Study, join(folder, "no.yaml"))).rejects.toThrow(/no\.yaml: no such file/);
  await expect(readYamlConfig(Study, folder)).rejects.toThrow("is a folder");
});
