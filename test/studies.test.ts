import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { expandStudy, type StudyPlan } from "../src/study/plan.ts";
import { loadData, readStudy } from "../src/study/read-study.ts";
import type { Study } from "../src/study/study-schema.ts";

const folder = fileURLToPath(new URL("../studies", import.meta.url));
const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
const table = readFileSync(join(folder, "README.md"), "utf8").replaceAll(/ +\|/g, " |");

interface Planned {
  readonly study: Study;
  readonly plan: StudyPlan;
}

const plans = new Map<string, Planned>();
beforeAll(async () => {
  for (const file of files) {
    const read = await readStudy(join(folder, file));
    const data = await loadData(read, join(tmpdir(), "unused"), () => {});
    plans.set(file, { study: read.study, plan: expandStudy(read.study, data, {}) });
  }
});
const planned = (file: string): Planned => plans.get(file)!;

test("they ship with the package", () => {
  expect(packageJson.files).toContain("studies");
});

describe.each(files)("%s", (file) => {
  test("bears its file's name, has three seeds, and the table knows its cells", () => {
    const { study, plan } = planned(file);
    expect(`${study.name}.yaml`).toBe(file);
    expect(study.seeds.length).toBeGreaterThanOrEqual(3);
    const row = table.split("\n").find((line) => line.startsWith(`| [${file}](${file}) |`));
    expect(row?.split("|")[3]?.trim()).toBe(String(plan.cells.length));
  });
});

const ids = ({ plan }: Planned, kind: string) =>
  plan.steps.flatMap(({ spec, id }) => (spec.kind === kind ? [id] : [])).toSorted();

test("studies of other attacks train no target that the main study does not", () => {
  const targets = ids(planned("paper.yaml"), "target");
  for (const file of ["paper-whitebox.yaml", "paper-blackbox.yaml"])
    expect(targets).toEqual(expect.arrayContaining(ids(planned(file), "target")));
});

test("all faces have the same two judges, and the first is of another family than the target", () => {
  const judges = ids(planned("paper.yaml"), "evaluation-model");
  expect(judges).toHaveLength(2);
  const family = (kind: string) => kind.slice(0, 3);
  for (const file of files.filter((one) => one !== "paper-mnist.yaml")) {
    const { study, plan } = planned(file);
    expect(ids({ study, plan }, "evaluation-model"), file).toEqual(judges);
    expect(family(plan.model.kind)).not.toBe(family(study.evaluation.model.kind));
  }
});
