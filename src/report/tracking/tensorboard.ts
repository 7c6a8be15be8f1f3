import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import type { EventSink, StudyEvent } from "../../study/events.ts";
import type { CellResult } from "../../study/result.ts";
import { ARTIFACTS } from "../../study/run-folder.ts";
import { cellFolder, cellNumbers } from "./cell-numbers.ts";
import { eventRecord, headRecord, type SummaryValue } from "./tfevents.ts";
import type { Tracker } from "./tracker.ts";

/** Identities of a cell whose first reconstruction is shown. */
const MOST_PICTURES = 12;

/**
 * Writes event files that TensorBoard reads: `<dir>/<study>/steps/<step>` with the losses of each step against what it counts (epochs, steps),
 * and `<dir>/<study>/cells/<cell>` with a cell's numbers and reconstructions. Private images are not among them.
 * @param warn told once, where files cannot be written
 */
export function tensorboardTracker(dir: string, warn: EventSink): Tracker {
  const files = new Map<string, string>();
  let study = "study";
  let broken = false;

  function write(run: readonly string[], step: number, values: readonly SummaryValue[]): void {
    if (broken || values.length === 0) return;
    const wallTime = Date.now() / 1000;
    const folder = join(dir, ...[study, ...run].map(asName));
    try {
      let file = files.get(folder);
      if (file === undefined) {
        mkdirSync(folder, { recursive: true });
        const made = Math.floor(wallTime);
        file = join(folder, `events.out.tfevents.${made}.${hostname()}.${process.pid}.${files.size}`);
        writeFileSync(file, headRecord(wallTime));
        files.set(folder, file);
      }
      appendFileSync(file, eventRecord({ wallTime, step, values }));
    } catch (error) {
      broken = true;
      const why = error instanceof Error ? error.message : String(error);
      warn({ type: "warning", message: `--tensorboard ${dir}: ${why}; the run goes on without it` });
    }
  }

  return {
    events(event: StudyEvent) {
      if (event.type === "study-started") study = event.study;
      if (event.type !== "step-progress") return;
      const values = Object.entries(event.metrics ?? {}).map(([tag, scalar]) => ({ tag, scalar }));
      write(["steps", event.step], event.done, values);
    },
    async result({ cells }, studyDir) {
      for (const cell of cells) {
        const numbers = cellNumbers(cell).map(([tag, scalar]) => ({ tag, scalar }));
        write(["cells", cellFolder(cell)], 0, [...numbers, ...(await pictures(cell, studyDir))]);
      }
    },
    end: () => Promise.resolve(),
  };
}

/** The first reconstruction of each of a cell's first identities; none where the cell's pictures are on another machine. */
async function pictures({ run, identities }: CellResult, studyDir: string): Promise<SummaryValue[]> {
  const values: SummaryValue[] = [];
  for (const { label, identity } of identities.slice(0, MOST_PICTURES)) {
    const folder = join(studyDir, run, ARTIFACTS, "images", String(label));
    const [first] = (await readdir(folder).catch(() => []))
      .filter((name) => /^\d+\.png$/.test(name))
      .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    if (first === undefined) continue;
    const png = await readFile(join(folder, first));
    const { height, width } = await sharp(png).metadata();
    values.push({ tag: `reconstruction/${identity}`, image: { png, height, width } });
  }
  return values;
}

/** One folder's name of whatever a study or step is called. */
function asName(text: string): string {
  return text.replaceAll(/[/\\:*?"<>|\0]+/g, "-").replace(/^\.+/, "");
}
