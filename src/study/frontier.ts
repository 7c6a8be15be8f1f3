import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { StudyData } from "../data/dataset.ts";
import { AUTO, trainableParameters } from "../defenses/boundary.ts";
import { none } from "../defenses/none.ts";
import { tlDmi } from "../defenses/tl-dmi.ts";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { setThreads } from "../engine/runtime.ts";
import { assetsFolder } from "./assets.ts";
import { asJson, canonicalJson } from "./canonical.ts";
import { buildModel, type Choice, chosenDefense } from "./choose.ts";
import { withoutName } from "./entry-labels.ts";
import type { EventSink } from "./events.ts";
import { type Frontier, type FrontierCell, frontierOf } from "./frontier-record.ts";
import { isInterruption } from "./interrupted.ts";
import type { PlannedCell } from "./plan/cells.ts";
import { inOrder } from "./plan/in-order.ts";
import type { PlannedTarget } from "./plan/targets.ts";
import { expandStudy } from "./plan.ts";
import { loadData, loadWeights, readStudy } from "./read-study.ts";
import type { FailedCell } from "./result.ts";
import { REPORT } from "./run-folder.ts";
import { openStepStore } from "./step-store.ts";
import { EVALUATION, type Evaluation } from "./steps/evaluation.ts";
import { readBoundary, readFisher } from "./steps/fisher.ts";
import { stepRunner } from "./steps/planned.ts";
import { studyFolder } from "./study-folder.ts";
import type { Study } from "./study-schema.ts";

export type { Frontier, FrontierCell, FrontierPoint } from "./frontier-record.ts";

/** Name of a frontier in its study's report folder. */
export const FRONTIER_FILE = "frontier.json";

/** What `frontier.json` holds. */
export interface FrontierRecord {
  readonly schemaVersion: 1;
  readonly study: string;
  readonly model: string;
  /** How TL-DMI trains at every boundary. */
  readonly tlDmi: SweepSettings;
  /** One for each attack and seed. */
  readonly frontiers: readonly Frontier[];
  readonly failed: readonly FailedCell[];
}

/** The keys of `tl-dmi` that a sweep keeps. */
type SweepSettings = Omit<ReturnType<typeof tlDmi.config.parse>, "freeze">;

/** Which study's boundaries are swept, and where its runs lie. */
export interface FrontierOptions {
  readonly studyFile: string;
  readonly runsDir: string;
  readonly threads: number;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

/**
 * Trains a study's model without a defense and with TL-DMI at every boundary, attacks each target with the study's attacks, and places
 * the study's other defenses and the boundary that Fisher information chooses beside them. Writes `report/frontier.json` in the
 * study's folder. All steps are those of `tldmi run`: finished ones are reused, killed ones resumed. A cell that fails is recorded and
 * the others go on.
 * @throws UserError for a study that cannot be run; Interrupted when the signal is aborted.
 */
export async function frontierOfStudy(
  options: FrontierOptions,
): Promise<{ record: FrontierRecord; studyDir: string; file: string }> {
  const { studyFile, threads, events, signal } = options;
  const runsDir = resolve(options.runsDir);
  setThreads(threads);
  const read = await readStudy(studyFile);
  const { study } = read;
  const studyDir = studyFolder(runsDir, study);
  const data = await loadData(read, join(runsDir, "cache"), events, signal);
  const swept = sweepOf(study, data);
  const plan = expandStudy(swept.study, data, await loadWeights(read));
  const kindOf = (target: PlannedTarget) => swept.kinds[plan.targets.indexOf(target) % swept.kinds.length]!;
  const cells = plan.cells.filter(({ target }) => kindOf(target) !== "auto");
  const choices = plan.targets.flatMap((target) =>
    kindOf(target) === "auto" && target.open ? [{ target, step: target.open.step }] : [],
  );
  const steps = inOrder([...cells.map((c) => c.evaluation), ...choices.map(({ step }) => step)]).length;
  events({ type: "study-started", study: study.name, cells: cells.length, steps });
  const store = openStepStore({ root: join(runsDir, "steps"), shipped: [assetsFolder], events, signal });
  const run = stepRunner(store, () => {});

  const failed: FailedCell[] = [];
  /** The result of `work`, or undefined where it failed, which is recorded. */
  async function attempt<T>(of: Omit<FailedCell, "message">, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (isInterruption(error)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      failed.push({ ...of, message });
      events({ type: "cell-finished", ...of, status: "failed", message });
      return undefined;
    }
  }

  const measured = new Map<PlannedCell, Placed>();
  for (const cell of cells) {
    const { target, attackLabel: attack, seed } = cell;
    const found = await attempt({ defense: target.label, attack, seed }, async () => {
      const { dir } = await run(cell.evaluation);
      const evaluation = JSON.parse(await readFile(join(dir, EVALUATION), "utf8")) as Evaluation;
      const { model, recipe } = target.open
        ? target.open.at(await readBoundary((await run(target.open.step)).dir))
        : target.defended;
      const { naturalAccuracy, attackAccuracy, floors } = evaluation;
      const { boundary } = recipe;
      const sizes = { boundary, trainableParameters: trainableParameters(model, boundary) };
      return {
        point: { label: target.label, ...sizes, naturalAccuracy, attackAccuracy },
        floors,
      };
    });
    if (found === undefined) continue;
    measured.set(cell, found);
    events({ type: "cell-finished", defense: target.label, attack, seed, status: "done" });
  }
  const chosen = new Map<number, string | null>();
  for (const { target, step } of choices) {
    const { label: defense, seed } = target;
    const found = await attempt(
      { defense, attack: "gmi", seed },
      async () => (await readFisher((await run(step)).dir)).boundary,
    );
    chosen.set(seed, found ?? null);
  }

  const frontiers = study.seeds.flatMap((seed) =>
    [...new Set(cells.map((cell) => cell.attackLabel))].flatMap((attack): Frontier[] => {
      const of = (kind: SweptKind) =>
        cells.flatMap((cell) => {
          const wanted = cell.seed === seed && cell.attackLabel === attack && kindOf(cell.target) === kind;
          const found = wanted ? measured.get(cell) : undefined;
          return found === undefined ? [] : [found];
        });
      const [undefended] = of("none");
      if (undefended === undefined) return [];
      return [
        frontierOf({
          attack,
          seed,
          classes: plan.model.classes,
          ...undefended.floors,
          undefended: undefended.point,
          sweep: of("sweep").map(({ point }) => point),
          others: of("other").map(({ point }) => point),
          auto: chosen.get(seed) ?? null,
        }),
      ];
    }),
  );
  const record: FrontierRecord = {
    schemaVersion: 1,
    study: study.name,
    model: study.model.kind,
    tlDmi: swept.settings,
    frontiers,
    failed,
  };
  const file = join(studyDir, REPORT, FRONTIER_FILE);
  await writeFileAtomic(file, `${JSON.stringify(record, undefined, 2)}\n`);
  events({ type: "study-finished", study: study.name, status: failed.length > 0 ? "partial" : "done" });
  return { record, studyDir, file };
}

/** A cell's place in a frontier, and the floors that its attack has to rise above. */
interface Placed {
  readonly point: FrontierCell;
  readonly floors: Evaluation["floors"];
}

/** What a target of the swept study is there for. */
type SweptKind = "none" | "sweep" | "auto" | "other";

/**
 * The study with every boundary among its defenses: no defense, TL-DMI at each stage as its own entry of `tl-dmi` trains it (the
 * defaults, where it has none), `freeze: auto`, and what else it names. `kinds` says which is which.
 */
function sweepOf(study: Study, data: StudyData) {
  const { train } = data.private;
  const model = buildModel(study.model as Choice, {
    input: [train.channels, train.height, train.width],
    classes: train.classes.length,
  });
  const listed = study.defenses as readonly Choice[];
  const own = listed.find(isPlainTlDmi) ?? { kind: tlDmi.kind, freeze: AUTO };
  const { freeze: _, ...settings } = tlDmi.config.parse(chosenDefense(own).config);
  const at = (freeze: string): Choice => ({ kind: tlDmi.kind, freeze, ...settings });
  const undefended: Choice = { kind: none.kind, ...none.config.parse({}) };
  const covered = (choice: Choice) =>
    same(choice, undefended) || (isPlainTlDmi(choice) && same({ ...choice, freeze: AUTO }, at(AUTO)));
  const entries: readonly (readonly [SweptKind, Choice])[] = [
    ["none", undefended],
    ...model.stages.map(({ name }) => ["sweep", at(name)] as const),
    ["auto", at(AUTO)],
    ...listed.filter((choice) => !covered(choice)).map((choice) => ["other", choice] as const),
  ];
  return {
    study: { ...study, linearProbe: false, defenses: entries.map(([, choice]) => choice) as Study["defenses"] },
    kinds: entries.map(([kind]) => kind),
    settings,
  };
}

/** `tl-dmi` alone, at whatever boundary. */
function isPlainTlDmi({ kind, with: others }: Choice): boolean {
  return kind === tlDmi.kind && others === undefined;
}

/** Whether two entries train the same target, whatever they are called. */
function same(a: Choice, b: Choice): boolean {
  return canonicalJson(asJson(withoutName(a))) === canonicalJson(asJson(withoutName(b)));
}
