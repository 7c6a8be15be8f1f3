import { mkdir, rm } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { join } from "node:path";
import { writeFileAtomic } from "../engine/atomic-file.ts";
import { assetsFolder, verifyStore } from "../study/assets.ts";
import { DEMO } from "../study/demo.ts";
import { checkCLibrary, checkDevices, checkProcessors, glibcVersion } from "./machine-checks.ts";
import type { Modules } from "./modules.ts";

/** One thing that `tldmi doctor` looked at. */
export interface Check {
  readonly name: string;
  /** `warn`: it works, but not well. `fail`: studies will not run. */
  readonly state: "ok" | "warn" | "fail";
  readonly detail: string;
}

const OLDEST_NODE = [20, 19] as const;
const WANTED_GIB = 4;

/** Looks at everything that a study needs, and changes nothing. */
export async function runChecks(options: {
  readonly modules: Pick<Modules, "runtime">;
  readonly runsDir: string;
  readonly assets?: string;
}): Promise<Check[]> {
  const { modules, runsDir, assets = assetsFolder } = options;
  return [
    checkNode(process.versions.node),
    checkCLibrary(glibcVersion()),
    await attempt("onnxruntime", () => runtime(modules)),
    ...(await devices(modules)),
    await attempt("sharp", sharp),
    await checkProcessors(),
    checkMemory(freemem() / 2 ** 30, totalmem() / 2 ** 30),
    await attempt("runs folder", () => writable(runsDir)),
    await attempt("assets", () => shipped(assets)),
  ];
}

/** Whether a version of Node is new enough. */
export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const fits = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  const wanted = fits ? "" : `; expected ${OLDEST_NODE.join(".")} or newer`;
  return { name: "node", state: fits ? "ok" : "fail", detail: version + wanted };
}

/** Whether the free memory is enough for a study of moderate size. @param total of the machine, GiB as the first */
export function checkMemory(gib: number, total: number): Check {
  const enough = gib >= WANTED_GIB;
  const detail = `${gib.toFixed(1)} of ${total.toFixed(1)} GiB free${enough ? "" : `; studies may need ${WANTED_GIB} GiB`}`;
  return { name: "memory", state: enough ? "ok" : "warn", detail };
}

type Finding = Omit<Check, "name">;

async function attempt(name: string, look: () => Promise<Finding>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, state: "fail", detail: message.split("\n")[0] ?? message };
  }
}

async function runtime(modules: Pick<Modules, "runtime">): Promise<Finding> {
  const { version, threads } = (await modules.runtime()).runtimeInfo();
  return { state: "ok", detail: `${version}, ${threads} threads` };
}

/** Nothing where the runtime does not load, which a line of its own says. */
async function devices(modules: Pick<Modules, "runtime">): Promise<Check[]> {
  const loaded = await modules.runtime().catch(() => undefined);
  return loaded === undefined ? [] : checkDevices(await loaded.deviceStates());
}

async function sharp(): Promise<Finding> {
  const { default: sharp } = await import("sharp");
  const pixel = { width: 1, height: 1, channels: 3, background: "#336699" } as const;
  const png = await sharp({ create: pixel }).png().toBuffer();
  const [red, green, blue] = await sharp(png).raw().toBuffer();
  const right = red === 0x33 && green === 0x66 && blue === 0x99;
  if (!right)
    return { state: "fail", detail: `a pixel came back as ${red}, ${green}, ${blue} instead of 51, 102, 153` };
  return { state: "ok", detail: sharp.versions.sharp ?? "loads" };
}

async function writable(runsDir: string): Promise<Finding> {
  // `mkdir` tells the first folder that it had to make: what was not there before is taken away again.
  const made = await mkdir(runsDir, { recursive: true });
  const probe = join(runsDir, `.doctor-${process.pid}`);
  await writeFileAtomic(probe, "");
  await rm(probe);
  if (made !== undefined) await rm(made, { recursive: true });
  return { state: "ok", detail: `${runsDir} can be written` };
}

async function shipped(assets: string): Promise<Finding> {
  const stores = await Promise.all([assets, join(assets, DEMO)].map(verifyStore));
  const steps = stores.reduce((sum, store) => sum + store.steps, 0);
  const damaged = stores.flatMap((store) => store.damaged);
  if (steps === 0) return { state: "warn", detail: "no steps come with the package; every study starts from nothing" };
  if (damaged.length === 0) return { state: "ok", detail: `${steps} steps, every file as its manifest says` };
  const [first] = damaged;
  return {
    state: "warn",
    detail: `${damaged.length} of ${steps} damaged; ${first?.folder}: ${first?.faults.join("; ")}`,
  };
}
