import { mkdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { writeFileAtomic } from "../../engine/atomic-file.ts";
import { UserError } from "../../engine/errors.ts";
import { random } from "../../engine/random.ts";
import type { CellResult } from "../../study/result.ts";
import { type Comparison, type Condition, comparisonsOf, conditionsOf } from "../conditions.ts";
import { readStudyResult } from "../study-result.ts";
import { KEY_FILE, type Key, namedKey, PAGE_FILE, type Side } from "./key.ts";
import { renderUserStudyPage, type ShownQuestion } from "./page.ts";

/** What a pack is made of. */
export interface UserStudyOptions {
  /** Folder that the pack is written to; made where it is missing. */
  readonly out: string;
  /** The attack, by its name in the report; may be left out where there is one. */
  readonly attack?: string;
  /** Two conditions by their names in the report; the undefended and the only defended one where left out. */
  readonly conditions?: readonly string[];
  /** Questions at most; one for each identity where left out. */
  readonly questions?: number;
  /** Seed of the order, of which reconstruction is shown, and of the sides. */
  readonly seed: number;
}

/** A pack on disk. */
export interface UserStudyPack {
  /** For participants. */
  readonly page: string;
  /** Not for participants. */
  readonly key: string;
  readonly questions: number;
  readonly conditions: readonly [string, string];
}

const quoted = (names: readonly string[]) => names.map((name) => `"${name}"`).join(", ");

function chosenComparison(comparisons: readonly Comparison[], attack: string | undefined): Comparison {
  const titles = comparisons.map(({ title }) => title);
  const [only] = comparisons;
  if (only === undefined) throw new UserError("user-study: the study has no finished cell");
  if (attack === undefined) {
    if (comparisons.length === 1) return only;
    throw new UserError(`user-study: the study has several attacks, name one with --attack: ${quoted(titles)}`);
  }
  const found = comparisons.find(({ title }) => title === attack);
  if (found === undefined) throw new UserError(`user-study: no attack "${attack}"; there are ${quoted(titles)}`);
  return found;
}

function chosenConditions({ all, undefended, defended }: Comparison, names: readonly string[] | undefined) {
  const labels = all.map(({ label }) => label);
  if (names === undefined) {
    const [other] = defended;
    if (undefended === undefined || other === undefined || defended.length > 1) {
      throw new UserError(`user-study: name two of the models to compare with --compare: ${quoted(labels)}`);
    }
    return [undefended, other] as const;
  }
  const [first, second] = names.map((name) => {
    const found = all.find(({ label }) => label === name);
    if (found === undefined) throw new UserError(`user-study: no model "${name}"; there are ${quoted(labels)}`);
    return found;
  });
  if (first === undefined || second === undefined || names.length > 2 || first === second) {
    throw new UserError(`user-study: expected two different models to compare, got ${quoted(names)}`);
  }
  return [first, second] as const;
}

/** The first seed that both have a cell of. */
function sharedCells(first: Condition, second: Condition): readonly [CellResult, CellResult] {
  for (const cell of first.cells) {
    const other = second.cells.find(({ seed }) => seed === cell.seed);
    if (other !== undefined) return [cell, other];
  }
  throw new UserError(`user-study: ${first.label} and ${second.label} have no seed in common`);
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** How many reconstructions of an identity a cell's folder has, counted from 0 without a gap. */
async function countImages(folder: string): Promise<number> {
  let count = 0;
  while (await exists(join(folder, `${count}.png`))) count++;
  return count;
}

const dataUri = async (path: string) => `data:image/png;base64,${(await readFile(path)).toString("base64")}`;

/** Half of the questions have the first condition left, half right (one more on either side where the count is odd). */
function sides(count: number, seed: number): Side[] {
  const rng = random(seed, "user-study", "sides");
  const odd = rng.int(2);
  return Array.from(rng.permutation(count), (place) => ((place + odd) % 2 === 0 ? "A" : "B"));
}

/**
 * Writes a pack for a blind comparison by people, from a finished study: `index.html`, which shows for each identity a private image and
 * beside it a reconstruction under each of two models, and `key.json`, which says which is which. Order, sides and reconstructions follow
 * from the seed. The page shows private images.
 * @throws UserError where the choice is not clear, the run has kept no private images, or images are missing.
 */
export async function makeUserStudy(studyDir: string, options: UserStudyOptions): Promise<UserStudyPack> {
  const { out, seed } = options;
  const study = await readStudyResult(studyDir);
  const comparison = chosenComparison(comparisonsOf(conditionsOf(study.cells)), options.attack);
  const [first, second] = chosenConditions(comparison, options.conditions);
  const cells = sharedCells(first, second);
  const folders = cells.map(({ run }) => join(isAbsolute(run) ? run : join(studyDir, run), "artifacts")) as [
    string,
    string,
  ];
  const labels = new Set(cells[1].identities.map(({ label }) => label));
  const identities = cells[0].identities.filter(({ label }) => labels.has(label));
  const order = random(seed, "user-study", "order").permutation(identities.length);
  const asked = Array.from(order.subarray(0, options.questions ?? identities.length), (i) => identities[i]!);
  const left = sides(asked.length, seed);

  const shown: ShownQuestion[] = [];
  const questions: Key["questions"][number][] = [];
  for (const [i, { identity, label }] of asked.entries()) {
    const reference = join(folders[0], "private", `${label}.png`);
    if (!(await exists(reference))) {
      throw new UserError(
        `${reference}: no private image to compare with; run the study again with --include-private (finished steps are kept)`,
      );
    }
    const images = folders.map((folder) => join(folder, "images", String(label))) as [string, string];
    const count = Math.min(await countImages(images[0]), await countImages(images[1]));
    if (count === 0) throw new UserError(`${images[0]}: no reconstructions of ${identity} under both models`);
    const reconstruction = random(seed, "user-study", "reconstruction", label).int(count);
    const files = images.map((folder) => join(folder, `${reconstruction}.png`)) as [string, string];
    const question = i + 1;
    const side = left[i]!;
    const [a, b] = side === "A" ? files : [files[1], files[0]];
    shown.push({ question, reference: await dataUri(reference), A: await dataUri(a), B: await dataUri(b) });
    questions.push({ question, identity, label, reconstruction, first: side });
  }
  const [head, ...rest] = questions;
  if (head === undefined) throw new UserError("user-study: no identity was attacked under both models");
  const key = namedKey({
    schemaVersion: 1,
    study: study.name,
    attack: comparison.title,
    seed: cells[0].seed,
    conditions: [first.label, second.label],
    questions: [head, ...rest],
  });
  await mkdir(out, { recursive: true });
  const paths = { page: join(out, PAGE_FILE), key: join(out, KEY_FILE) };
  await writeFileAtomic(paths.page, renderUserStudyPage(key.pack, shown));
  await writeFileAtomic(paths.key, `${JSON.stringify(key, undefined, 2)}\n`);
  return { ...paths, questions: questions.length, conditions: key.conditions };
}
