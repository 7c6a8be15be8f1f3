import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { UserError } from "../engine/errors.ts";
import { readStudy, relativePaths } from "../study/read-study.ts";
import type { StudyResult } from "../study/result.ts";
import { CONFIG_FILE } from "../study/run-folder.ts";
import { allowedKeys } from "../study/schema-walk.ts";
import { studyFolder } from "../study/study-folder.ts";
import { StudySchema } from "../study/study-schema.ts";
import { checkYamlConfig } from "../study/yaml-config.ts";
import type {
  Control,
  EstimatedWork,
  Fault,
  PlannedWork,
  RunRow,
  SavedStudy,
  StudyCheck,
  StudyEstimate,
} from "./api.ts";
import type { Confined } from "./confined.ts";
import type { CallOptions, Jobs } from "./jobs.ts";
import { STUDIES } from "./run-index.ts";
import { readResult, STUDY_FILE } from "./study-view.ts";

/** Seconds that planning a study may take: the data are read for it. */
const PLANNING = 300;
/** Seconds that trying some of each step may take. What was tried by then is remembered: the next one goes on from there. */
const ESTIMATING = 3600;

/** Studies as files: checked, written, started, stopped. */
export interface Studies {
  /** Checks a study file with the command line's code; with `plan`, by `tldmi validate` itself, which also reads the data. */
  check(yaml: string, plan: boolean): Promise<StudyCheck>;
  /**
   * Has `tldmi validate --estimate` say what a study takes. It tries some of each step in a process of its own, one study at a time, and
   * remembers what it finds by what determines a step.
   * @param signal ends it
   * @throws UserError while a study runs here or another estimate is made: either would be measured too.
   */
  estimate(yaml: string, signal: AbortSignal): Promise<StudyEstimate>;
  /** Writes a valid study file. @throws UserError for one that is not valid. */
  save(yaml: string): Promise<SavedStudy>;
  /** Starts a study, or goes on with it. @throws UserError where that cannot be done from here. */
  start(id: string): Promise<void>;
  stop(id: string): void;
  /** Whether a study can be started or stopped here; `row` is undefined before its folder is made. */
  control(id: string, row: RunRow | undefined): Promise<Control>;
}

export function openStudies(runs: Confined, jobs: Jobs): Studies {
  let estimating = false;

  /** The folder of study files, made where it is missing. */
  async function folder(): Promise<string> {
    await mkdir(join(runs.root, STUDIES), { recursive: true });
    const dir = await runs.path(STUDIES);
    if (dir === undefined) throw new UserError(`${STUDIES} in the runs folder is a link; expected a folder`);
    return dir;
  }

  /** Does something with a study file of this text, which is gone afterwards. */
  async function withFile<T>(yaml: string, work: (file: string) => Promise<T>): Promise<T> {
    const file = join(await folder(), `check-${randomUUID()}.yaml`);
    await writeFileAtomic(file, yaml);
    try {
      return await work(file);
    } finally {
      await rm(file, { force: true });
    }
  }

  /** What `tldmi validate` says of a study. */
  async function validated<Step>(
    yaml: string,
    options: readonly string[],
    call: CallOptions,
  ): Promise<{ readonly faults: readonly Fault[]; readonly steps?: readonly Step[] }> {
    return withFile(yaml, async (file) => {
      const args = ["validate", file, ...options, "--runs", runs.root, "--json", "--no-color"];
      const { code, stdout, stderr, late } = await jobs.call(args, call);
      if (code === 0) return { faults: [], steps: (JSON.parse(stdout) as { steps: Step[] }).steps };
      const message = late ? `not done within ${call.seconds} seconds` : stderr;
      return { faults: [planFault(message.replaceAll(file, "the study"))] };
    });
  }

  async function fileOf(id: string): Promise<string | undefined> {
    return (await runs.path(STUDIES, `${id}.yaml`)) ?? (await runs.path(id, CONFIG_FILE));
  }

  /** How many cells of a study that is over came to nothing. */
  async function failedCells(id: string): Promise<number> {
    const failed = (await readResult<StudyResult>(runs, id, STUDY_FILE))?.failed;
    return Array.isArray(failed) ? failed.length : 0;
  }

  return {
    async check(yaml, plan) {
      const faults = schemaFaults(yaml);
      if (faults.length > 0 || !plan) return { faults };
      return validated<PlannedWork>(yaml, [], { seconds: PLANNING });
    },
    async estimate(yaml, signal) {
      const faults = schemaFaults(yaml);
      if (faults.length > 0) return { faults };
      const [running] = jobs.running();
      if (running !== undefined)
        throw new UserError(`${running} is running, and would be measured too; wait until it ends`);
      if (estimating)
        throw new UserError("another study is being estimated, and would be measured too; wait until it is done");
      estimating = true;
      try {
        return await validated<EstimatedWork>(yaml, ["--estimate", "--quiet"], { seconds: ESTIMATING, signal });
      } finally {
        estimating = false;
      }
    },
    async save(yaml) {
      const [fault] = schemaFaults(yaml);
      if (fault !== undefined) throw new UserError(`${fault.path.join(".")}: ${fault.message}`);
      // Paths in it start at the folder where it will lie, so that is where it is read.
      const id = await withFile(yaml, async (file) => basename(studyFolder(runs.root, (await readStudy(file)).study)));
      const file = join(await folder(), `${id}.yaml`);
      await writeFileAtomic(file, yaml);
      return { id, file };
    },
    async start(id) {
      const file = await fileOf(id);
      if (file === undefined) throw new UserError(`${id}: no study of this name in the runs folder`);
      const { study } = await readStudy(file);
      const own = basename(file) === CONFIG_FILE;
      const relative = own ? relativePaths(study) : [];
      if (relative.length > 0)
        throw new UserError(
          `${relative.join(", ")}: a path that starts at the study's own file, which is not known here; go on with \`tldmi run\` and that file`,
        );
      if (basename(studyFolder(runs.root, study)) !== id)
        throw new UserError(
          `${id}: its settings are of another version or were changed; go on with \`tldmi run\` and the study's own file`,
        );
      jobs.start(id, file);
    },
    stop(id) {
      if (!jobs.stop(id))
        throw new UserError(`${id} was not started by this server; stop it with Ctrl-C where it was started`);
    },
    async control(id, row) {
      const log = jobs.log(id);
      if (jobs.isRunning(id)) return { canStart: false, canStop: true, log };
      const no = { canStart: false, canStop: false, log };
      if (row?.state === "RUNNING") return { ...no, why: "It was started elsewhere: stop it there with Ctrl\u2011C." };
      const failed = row?.state === "COMPLETED" ? await failedCells(id) : 0;
      if (row?.state === "COMPLETED" && failed === 0) return { ...no, why: "It is finished." };
      if ((await fileOf(id)) === undefined) return { ...no, why: "There is no study file to start it with." };
      const again = failed === 1 ? "One of its cells failed" : `${failed} of its cells failed`;
      return {
        ...{ canStart: true, canStop: false, log },
        ...(failed > 0 && { why: `${again}: resuming tries again what they lack, and computes nothing twice.` }),
      };
    },
  };
}

function schemaFaults(yaml: string): readonly Fault[] {
  const checked = checkYamlConfig(StudySchema, yaml);
  if ("data" in checked) return [];
  return checked.findings.map(({ path, line, message }) => ({
    path: path.map((key) => (typeof key === "number" ? key : String(key))),
    line,
    message,
  }));
}

/** A message of the command line at the field that it begins with: `attacks[0].pool: …`. */
function planFault(stderr: string): Fault {
  // Warnings come before it.
  const message = (stderr.split(/^error:\s*/m).at(-1) ?? "").trim();
  const [start = "", keys = ""] = /^([\w-]+(?:\[\d+\]|\.[\w-]+)*): /.exec(message) ?? [];
  const path = keys.split(/[.[\]]+/).filter((key) => key !== "");
  const known = allowedKeys(StudySchema, {}, []).includes(path[0] ?? "");
  if (!known) return { path: [], message };
  return {
    path: path.map((key) => (/^\d+$/.test(key) ? Number(key) : key)),
    message: message.slice(start.length),
  };
}
