import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runStudy } from "../../src/study/pipeline.ts";
import { GRID_STUDY } from "./grid-study.ts";

/** How the study runs on one machine. */
export const alone = {
  includePrivate: false,
  threads: 1,
  events: () => {},
  signal: new AbortController().signal,
};

/** The study of twelve cells as a file, its result on one machine, and room for grids of it. */
export interface GridWorld {
  readonly root: string;
  readonly studyFile: string;
  /** The study's folder, run on one machine. */
  readonly studyDir: string;
  /** The folder of runs that it lies in. */
  readonly singleRuns: string;
  /** A folder of runs of its own; drawn images are shared by all. */
  runsFolder(name: string): Promise<string>;
  remove(): Promise<void>;
}

/** Runs the study on one machine, in a new temporary folder. */
export async function gridWorld(): Promise<GridWorld> {
  const root = await mkdtemp(join(tmpdir(), "grid-world-"));
  const runsFolder = async (name: string) => {
    const runsDir = join(root, name);
    await mkdir(runsDir);
    await symlink(join(root, "cache"), join(runsDir, "cache"));
    return runsDir;
  };
  await mkdir(join(root, "cache"));
  const studyFile = join(root, "twelve.yaml");
  await writeFile(studyFile, GRID_STUDY);
  const singleRuns = await runsFolder("single");
  const { studyDir } = await runStudy({ ...alone, studyFile, runsDir: singleRuns });
  return {
    ...{ root, studyFile, studyDir, singleRuns, runsFolder },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}
