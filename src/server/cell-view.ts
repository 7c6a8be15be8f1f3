import type { FisherRecord } from "../study/fisher.ts";
import type { CellResult } from "../study/result.ts";
import { ARTIFACTS, REPORT, RESULT_FILE } from "../study/run-folder.ts";
import type { CellView, IdentityImages, RunRow } from "./api.ts";
import type { Confined } from "./confined.ts";
import { folderOf, readResult } from "./study-view.ts";

/** Reconstructions shown of each identity at most. */
const MOST_IMAGES = 5;

/** Where a cell's pictures lie: reconstructions by class, and one private image of each class where they were asked for. */
export const IMAGES = [ARTIFACTS, "images"] as const;
export const PRIVATE = [ARTIFACTS, "private"] as const;

/** A cell as its page shows it. */
export async function cellView(runs: Confined, row: RunRow): Promise<CellView> {
  const result = await readResult<CellResult>(runs, row.id, RESULT_FILE);
  const fisher = await fisherOf(runs, row.id);
  if (result === undefined) return { row, identities: [], ...(fisher && { fisher }) };
  const { identities: _, ...numbers } = result;
  return { row, result: numbers, identities: await identityImages(runs, row.id, result), ...(fisher && { fisher }) };
}

/** The identities of a cell's result with the paths of their pictures, as this server serves them. */
export async function identityImages(
  runs: Confined,
  id: string,
  { identities }: Pick<CellResult, "identities">,
): Promise<IdentityImages[]> {
  const base = `/api/runs/${folderOf(id).map(encodeURIComponent).join("/")}`;
  const references = new Set(await runs.files(...folderOf(id), ...PRIVATE));
  return Promise.all(
    identities.map(async ({ label, identity, attackAccuracy }) => {
      const files = (await runs.files(...folderOf(id), ...IMAGES, String(label))).filter((file) =>
        /^\d+\.png$/.test(file),
      );
      const order = files.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
      return {
        label,
        identity,
        attackAccuracy,
        images: order.slice(0, MOST_IMAGES).map((file) => `${base}/images/${label}/${file}`),
        ...(references.has(`${label}.png`) && { reference: `${base}/private/${label}.png` }),
      };
    }),
  );
}

/** The cell's Fisher analysis, where `tldmi fisher` made one. */
export async function fisherOf(runs: Confined, id: string): Promise<FisherRecord | undefined> {
  try {
    const text = await runs.text(...folderOf(id), REPORT, "fisher.json");
    const record = JSON.parse(text ?? "null") as FisherRecord | null;
    return record?.schemaVersion === 1 ? record : undefined;
  } catch {
    return undefined;
  }
}
