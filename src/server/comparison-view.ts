import { basename } from "node:path";
import { type Condition, conditionsOf } from "../report/conditions.ts";
import type { CellResult } from "../study/result.ts";
import { RESULT_FILE } from "../study/run-folder.ts";
import type { ComparedCell, ComparedCondition, ComparisonView } from "./api.ts";
import { fisherOf, identityImages } from "./cell-view.ts";
import type { Confined } from "./confined.ts";
import { readResult } from "./study-view.ts";

/** Identities whose pictures are listed at most. */
const MOST_IDENTITIES = 50;

/**
 * Finished cells of several runs side by side, seeds of one setting put together within each study.
 * @param ids studies (all their finished cells) or single cells
 */
export async function comparisonView(runs: Confined, ids: readonly string[]): Promise<ComparisonView> {
  const studies = [...new Set(ids.map((id) => id.split("/")[0]!))];
  const groups = await Promise.all(studies.map(async (study) => ({ study, cells: await cellsOf(runs, study, ids) })));
  const labelled = groups.flatMap(({ study, cells }) =>
    conditionsOf(cells).map((condition) => ({ study, condition: within(condition, study, studies.length > 1) })),
  );
  // Colours and symbols count over all studies; the first colour belongs to a model without a defense, or to none.
  const [first] = labelled;
  const names = labelled.map(({ condition }) => condition.label);
  const labels = distinct(first?.condition.undefended === true ? names : ["", ...names]);
  const attacks = distinct(labelled.map(({ condition }) => condition.attack));
  const several = studies.length > 1;
  return {
    conditions: await Promise.all(
      labelled.map(async ({ study, condition }): Promise<ComparedCondition> => {
        const { cells: own, ...rest } = condition;
        const place = several
          ? { labelIndex: labels.indexOf(condition.label), attackIndex: attacks.indexOf(condition.attack) }
          : {};
        return {
          study,
          condition: { ...rest, ...place, cells: own.map(withoutIdentities) },
          cells: await Promise.all(own.map((cell) => comparedCell(runs, study, cell))),
        };
      }),
    ),
    warnings: several ? warningsOf(groups.flatMap(({ cells }) => cells)) : [],
  };
}

const distinct = (values: readonly string[]) => [...new Set(values)];

const within = (condition: Condition, study: string, named: boolean): Condition =>
  named ? { ...condition, label: `${condition.label} · ${study}` } : condition;

/** The pictures carry the identities; the condition need not say them again. */
const withoutIdentities = (cell: CellResult): CellResult => ({ ...cell, identities: [] });

async function cellsOf(runs: Confined, study: string, ids: readonly string[]): Promise<CellResult[]> {
  const names = await runs.folders(study, "cells");
  const wanted = ids.includes(study) ? names : names.filter((name) => ids.includes(`${study}/${name}`));
  const results = await Promise.all(
    wanted.map(async (name) => {
      const result = await readResult<CellResult>(runs, `${study}/${name}`, RESULT_FILE);
      // The folder that was read decides, not what its file says of itself.
      return result === undefined ? [] : [{ ...result, run: `cells/${name}` }];
    }),
  );
  // Folders come by name; a study's own order begins with the model that has no defense.
  return results.flat().toSorted((a, b) => Number(b.defense === "none") - Number(a.defense === "none"));
}

async function comparedCell(runs: Confined, study: string, cell: CellResult): Promise<ComparedCell> {
  const id = `${study}/${basename(cell.run)}`;
  const fisher = await fisherOf(runs, id);
  return {
    id,
    seed: cell.seed,
    identities: await identityImages(runs, id, { identities: cell.identities.slice(0, MOST_IDENTITIES) }),
    ...(fisher && { fisher }),
  };
}

/** What two studies must share for their numbers to stand side by side; `tldmi compare` refuses where this warns. */
function warningsOf(cells: readonly CellResult[]): string[] {
  const differ = (read: (cell: CellResult) => string | undefined) => new Set(cells.map(read)).size > 1;
  return [
    differ(({ basis }) => basis?.train) && "the private training images differ",
    differ(({ basis }) => basis?.test) && "the private test images differ",
    differ(({ basis }) => basis?.evaluationModel) &&
      "the evaluation models differ: attack accuracy and distances are their word",
  ].filter((warning) => warning !== false);
}
