import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { smallFaces } from "../../test/support/small-faces.ts";
import type { StudyEvent } from "./events.ts";
import { takeLock } from "./lock.ts";
import { planStudy, runStudy } from "./pipeline.ts";

const STUDY = `name: shared
${smallFaces({ validation: 2, test: 2 })}
model: { kind: resnet10, width: 4 }
training: { epochs: 1, batch: 8 }
evaluation: { model: { kind: resnet10, width: 4 }, training: { epochs: 1, batch: 8 } }
defenses: [none]
attacks: [{ kind: mi-face, iterations: 2 }]
reconstructions: { perIdentity: 1, pool: 4 }
`;

test("a step that another process is at is waited for, until it is done or the run is stopped", async () => {
  const runsDir = await mkdtemp(join(tmpdir(), "pipeline-"));
  const studyFile = join(runsDir, "shared.yaml");
  await writeFile(studyFile, STUDY);
  const target = (await planStudy({ studyFile, runsDir })).find(({ name }) => name.startsWith("target none"))!;
  await mkdir(join(runsDir, "steps"));
  const lock = await takeLock(join(runsDir, "steps", `target-${target.id}.lock`), target.name);
  const waiting = `target none, seed 1: waiting for process ${process.pid} on `;
  const run = (waits: (stop: () => void) => void) => {
    const abort = new AbortController();
    const events = (event: StudyEvent) => {
      if (event.type === "warning" && event.message.startsWith(waiting)) waits(() => abort.abort());
    };
    return runStudy({ studyFile, runsDir, includePrivate: false, threads: 1, events, signal: abort.signal });
  };
  await expect(run((stop) => stop())).rejects.toMatchObject({ name: "Interrupted" });
  const told: string[] = [];
  const { result } = await run(() => {
    told.push("waits");
    void lock.free();
  });
  expect(told).toEqual(["waits"]);
  expect(result).toMatchObject({ status: "done", failed: [], cells: [{ defense: "none" }] });
  await rm(runsDir, { recursive: true });
});
