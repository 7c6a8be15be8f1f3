import { isAbsolute, join } from "node:path";
import { atOnce } from "../engine/at-once.ts";
import type { Comparison, Condition } from "./conditions.ts";
import { makeSprite, type Sprite } from "./sprite.ts";

/** Reconstructions shown for each identity at most. */
const MOST_IMAGES = 5;
/** Identities shown at most. */
const MOST_IDENTITIES = 50;

/** One column of a contact sheet: the images of one cell. */
export interface SheetColumn {
  readonly condition: Condition;
  /** Undefined where the run folder holds none of the images. */
  readonly sprite: Sprite | undefined;
  /** Attack accuracy by class label in the cell that is shown, in [0, 1]. */
  readonly accuracies: ReadonlyMap<number, number>;
}

/** Reconstructions of the same identities under each defense against one attack, of one seed. */
export interface ContactSheet {
  readonly comparison: Comparison;
  readonly seed: number;
  /** The sheet's rows. */
  readonly identities: readonly { readonly identity: string; readonly label: number }[];
  /** All identities of the study; more than the rows where the sheet is cut. */
  readonly total: number;
  readonly columns: readonly SheetColumn[];
  /** One private image an identity; undefined where they were not asked for or the run folders hold none. */
  readonly references: Sprite | undefined;
}

/** The first seed that all conditions have; without one, each condition's own first. */
function sharedSeed(conditions: readonly Condition[]): number | undefined {
  return conditions[0]?.cells
    .map(({ seed }) => seed)
    .find((seed) => conditions.every(({ cells }) => cells.some((cell) => cell.seed === seed)));
}

/** Reads one comparison's images, of one seed; those of the others lie in their run folders. */
export async function readContactSheet(
  comparison: Comparison,
  studyDir: string,
  options: { readonly includePrivate: boolean },
): Promise<ContactSheet | undefined> {
  const seed = sharedSeed(comparison.all);
  const cells = comparison.all.flatMap((condition) => {
    const cell = condition.cells.find((candidate) => candidate.seed === seed) ?? condition.cells[0];
    return cell === undefined ? [] : [{ condition, cell }];
  });
  const first = cells[0]?.cell;
  if (first === undefined) return undefined;
  const everyone = new Map(
    cells.flatMap(({ cell }) => cell.identities.map(({ identity, label }) => [label, identity])),
  );
  const identities = [...everyone].slice(0, MOST_IDENTITIES).map(([label, identity]) => ({ label, identity }));
  const folder = (run: string) => join(isAbsolute(run) ? run : join(studyDir, run), "artifacts");

  const columns = await atOnce(cells, async ({ condition, cell }): Promise<SheetColumn> => {
    const images = join(folder(cell.run), "images");
    const each = Math.min(MOST_IMAGES, Math.round(cell.attackAccuracy.n / cell.identities.length));
    const grid = identities.map(({ label }) =>
      Array.from({ length: each }, (_, k) => join(images, String(label), `${k}.png`)),
    );
    return {
      condition,
      sprite: await makeSprite(grid),
      accuracies: new Map(cell.identities.map(({ label, attackAccuracy }) => [label, attackAccuracy])),
    };
  });
  return {
    comparison,
    seed: first.seed,
    identities,
    total: everyone.size,
    columns,
    references: options.includePrivate
      ? await readReferences(
          identities,
          cells.map(({ cell }) => folder(cell.run)),
        )
      : undefined,
  };
}

/** The first run folder that holds private references gives them; they are the same images in all. */
async function readReferences(
  identities: readonly { readonly label: number }[],
  folders: readonly string[],
): Promise<Sprite | undefined> {
  for (const folder of folders) {
    const sprite = await makeSprite(identities.map(({ label }) => [join(folder, "private", `${label}.png`)]));
    if (sprite !== undefined) return sprite;
  }
  return undefined;
}
