import { UNFINISHED } from "../study/step-record.ts";
import { PREVIEW, PREVIEW_FILES, type Preview } from "../study/steps/preview.ts";
import type { PreviewAt } from "./api.ts";
import type { Confined } from "./confined.ts";

/** Where the pictures of an unfinished step lie. */
export function previewFolder(step: string): string[] {
  return ["steps", `${step}${UNFINISHED}`, PREVIEW];
}

/** The newest pictures of an attack on its way; undefined where the step keeps none. */
export async function previewOf(runs: Confined, step: string): Promise<PreviewAt | undefined> {
  try {
    const about = JSON.parse(
      (await runs.text(...previewFolder(step), PREVIEW_FILES.about)) ?? "null",
    ) as Preview | null;
    if (about?.schemaVersion !== 1) return undefined;
    const { labels, size, frame } = about;
    // The query makes a new address of each frame, so that no browser shows an old one.
    const at = (name: string) =>
      `/api/steps/${encodeURIComponent(step)}/${name}?of=${labels.join(".")}&frame=${name === PREVIEW_FILES.first ? 0 : frame}`;
    return { step, first: at(PREVIEW_FILES.first), latest: at(PREVIEW_FILES.latest), frame, labels, size };
  } catch {
    return undefined;
  }
}
