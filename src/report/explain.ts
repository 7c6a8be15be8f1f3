import type { Access } from "../attacks/access.ts";
import { attacks } from "../attacks/index.ts";
import { dataSources } from "../data/index.ts";
import { defenses } from "../defenses/index.ts";
import { priors } from "../priors/index.ts";
import { attackName, defenseName } from "../study/entry-labels.ts";
import { beatsFloors } from "../study/floors.ts";
import type { GateResult } from "../study/gate.ts";
import type { CellResult, StudyResult } from "../study/result.ts";
import { conditionsOf, isControl } from "./conditions.ts";
import { count, percent, percentWithInterval, significant } from "./numbers.ts";
import type { FinishedRun } from "./read-run.ts";
import { judgesSentence } from "./sections/judges.ts";
import { sentencesOf, summarize } from "./summary.ts";

/** A part of an explanation: whole sentences under a title. */
export interface Explanation {
  readonly title: string;
  readonly sentences: readonly string[];
}

const ACCESS: Readonly<Record<Access, string>> = {
  "white-box": "It has the target's weights and its gradients.",
  scores: "It sees the scores that the target answers with, and nothing else of it.",
  labels: "It sees the class that the target answers with, and nothing else of it.",
};

const distinct = <T>(values: Iterable<T>): readonly T[] => [...new Set(values)];
const firstOfEach = <T>(items: readonly T[], keyOf: (item: T) => string) =>
  items.filter((item, at) => items.findIndex((other) => keyOf(other) === keyOf(item)) === at);
const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`;

/**
 * Says a run in words: what was attacked, how, what came out, what that means and what it does not. Everything follows from the run's own
 * numbers and settings. A single cell is told together with the undefended one of its attack, where its study has that.
 */
export function explainRun(run: FinishedRun): readonly Explanation[] {
  const cells = run.kind === "study" ? run.cells : withControl(run.cells, run.around);
  const study = asStudy(run, cells);
  return [
    { title: "What was attacked", sentences: targets(cells, run.config) },
    { title: "How", sentences: methods(cells) },
    { title: "What came out", sentences: outcome(study) },
    { title: "What it means", sentences: meaning(cells, study, run.kind === "study" ? study.gate : undefined) },
    { title: "What it does not mean", sentences: limits(cells, study) },
  ];
}

function withControl(own: readonly CellResult[], around: readonly CellResult[]): readonly CellResult[] {
  const same = (a: CellResult) => (b: CellResult) =>
    attackName(a) === attackName(b) && a.model === b.model && a.seed === b.seed;
  const controls = around.filter((cell) => !own.includes(cell) && isControl(cell) && own.some(same(cell)));
  return own.some(isControl) ? own : [...controls.slice(0, 1), ...own];
}

function asStudy({ name, study, failed, config }: FinishedRun, cells: readonly CellResult[]): StudyResult {
  const nothing = { curves: [], notes: [], provenance: {}, config: JSON.stringify(config), timings: [] };
  return { schemaVersion: 1, status: "done", ...nothing, ...study, name, cells, failed };
}

function targets(cells: readonly CellResult[], config: FinishedRun["config"]): string[] {
  const { data } = config;
  const kind: unknown = typeof data === "object" && data !== null && "kind" in data ? data.kind : data;
  const source = dataSources.find((member) => member.kind === kind);
  const first = cells[0];
  if (first === undefined) return ["No cell of this run has finished, so there is nothing to explain."];
  const people = `${count(first.identities.length)} of its private identities were attacked.`;
  const told = firstOfEach(cells, (cell) => JSON.stringify([cell.model, defenseName(cell), cell.boundary]));
  return [
    ...(source === undefined ? [] : [sentence(`The images: ${source.summary}`)]),
    people,
    ...told.map((cell) => {
      const { model, defense, boundary, trainableParameters, frozenParameters, naturalAccuracy } = cell;
      const parts = defense
        .split(" + ")
        .map((part) => defenses.find((member) => member.kind === part)?.summary ?? part);
      const share = percent(trainableParameters / (trainableParameters + frozenParameters));
      const frozen =
        boundary === null ? "" : ` Frozen up to ${boundary}: private images trained ${share} of its parameters.`;
      const how = isControl(cell) ? "no defense" : `${defenseName(cell)} (${parts.join("; ")})`;
      return `${model} with ${how}: it classifies ${percentWithInterval(naturalAccuracy, 1)} of private test images rightly.${frozen}`;
    }),
  ];
}

function methods(cells: readonly CellResult[]): string[] {
  return firstOfEach(cells, attackName).flatMap((cell) => {
    const attack = attacks.find(({ kind }) => kind === cell.attack);
    if (attack === undefined) return [`${attackName(cell)}.`];
    const prior =
      attack.prior === null
        ? "It searches among images themselves."
        : attack.priorOf !== undefined
          ? "It searches in the prior of the attack that it is built on."
          : `It searches in this prior: ${priors.find(({ kind }) => kind === attack.prior)?.summary ?? attack.prior}.`;
    const each = cell.identities.length === 0 ? 0 : cell.attackAccuracy.n / cell.identities.length;
    const made =
      each > 0 ? ` It makes ${Number.isInteger(each) ? count(each) : significant(each)} images of each identity` : "";
    const asked =
      made !== "" && cell.queries ? `, with ${count(cell.queries.images)} images sent through the target` : "";
    return [
      `${attackName(cell)}: ${attack.summary} (${attack.paper}). ${ACCESS[attack.access]} ${prior}${made === "" ? "" : `${made}${asked}.`}`,
    ];
  });
}

function outcome(study: StudyResult): string[] {
  const spoken = summarize(study).paragraphs.flatMap(sentencesOf);
  const judged = conditionsOf(study.cells).flatMap((condition) =>
    condition.judges === undefined ? [] : [judgesSentence(condition, condition.judges)],
  );
  return [...spoken, ...judged];
}

function meaning(cells: readonly CellResult[], study: StudyResult, gate: GateResult | undefined): string[] {
  if (cells.length === 0) return [];
  const said = [
    "Attack accuracy is how often a second classifier, the evaluation model, recognises the attacked person in an image that the attack made. The images are not copies of training images; they show what the target knows of a person.",
  ];
  const working = distinct(cells.filter(beatsFloors).map(attackName));
  const weak = distinct(cells.map(attackName)).filter((attack) => !working.includes(attack));
  for (const attack of weak)
    said.push(
      `${attack} is not shown to rise above its floors on any target here: that says nothing about the targets.`,
    );
  if (working.length > 0)
    said.push(
      `${working.join(" and ")} ${working.length === 1 ? "rises" : "rise"} above what the prior gives without an attack, so the target itself gave something away.`,
    );
  for (const { verdict, defense } of summarize(study).paragraphs.flatMap(({ findings }) => findings)) {
    if (verdict === "lower") said.push(`With ${defense} the attack recovers less, by more than chance explains.`);
    if (verdict === "higher") said.push(`With ${defense} the attack recovers more, by more than chance explains.`);
    if (verdict === "no difference shown") said.push(`That ${defense} protects is not shown here.`);
  }
  if (gate !== undefined) said.push(`The study's gate ${gate.passed ? "passed" : "failed"}.`);
  return [...distinct(said)];
}

function limits(cells: readonly CellResult[], study: StudyResult): string[] {
  const guaranteed = cells.some(({ privacy }) => privacy !== undefined);
  return [
    ...summarize(study, "above").limits,
    "Other attacks may find more, and the next one is not known: a measured attack bounds leakage from below.",
    ...(guaranteed ? [] : ["No training here gives a guarantee such as differential privacy does."]),
    ...study.notes,
  ];
}
