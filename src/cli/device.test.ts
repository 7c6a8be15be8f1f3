import { describe, expect, test } from "vitest";
import { call, nowhere, study, withRun } from "../../test/support/cli-call.ts";
import { UserError } from "../engine/errors.ts";
import type { Modules } from "./modules.ts";

describe("--device", () => {
  /** Calls a command with a runtime that has no devices but the processor, and says which were asked for. */
  async function asking(args: string) {
    const asked: string[] = [];
    const setDevice = (device: string) => {
      asked.push(device);
      return Promise.reject(new UserError(`device ${device} cannot be used here: no library; it needs one`));
    };
    const modules: Modules = {
      ...withRun(async () => ({ result: study, studyDir: "." })),
      runtime: async () => ({
        setDevice,
        runtimeInfo: () => ({ version: "1", backends: [], threads: 1 }),
        deviceStates: nowhere,
      }),
      list: async () => [],
      schedulers: async () => ({ slurmScript: async ({ device }) => `on ${device}\n`, kubernetesManifest: nowhere }),
    };
    return { ...(await call(args, modules)), asked };
  }

  test("is tried before a command that computes begins, and a missing one is one line and code 2", async () => {
    const { code, err, asked } = await asking("run study.yaml --device cuda");
    expect([code, asked]).toEqual([2, ["cuda"]]);
    expect(err).toBe("error: device cuda cannot be used here: no library; it needs one\n");
    for (const command of ["worker", "frontier s.yaml", "fisher r", "validate s.yaml --estimate", "grid s.yaml"])
      expect((await asking(`--device webgpu ${command}`)).asked).toEqual(["webgpu"]);
  });

  test("is the processor where nothing is said, and no matter to commands that do not compute", async () => {
    expect((await asking("run study.yaml")).asked).toEqual([]);
    expect((await asking("--device cuda ls attacks")).asked).toEqual([]);
  });

  test("of a script for a scheduler is that of its machines", async () => {
    expect(await asking("grid s.yaml --emit slurm --device cuda")).toMatchObject({
      code: 0,
      out: "on cuda\n",
      asked: [],
    });
  });

  test("that there is no such thing as is a mistake of use", async () => {
    expect(await call("run s.yaml --device gpu")).toMatchObject({
      code: 2,
      err: expect.stringContaining("Allowed choices are cpu, cuda, webgpu, coreml, dml"),
    });
  });
});
