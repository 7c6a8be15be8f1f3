import { describe, expect, test } from "vitest";
import { call, ended, nowhere } from "../../../test/support/cli-call.ts";
import type { Modules } from "../modules.ts";

describe("validate", () => {
  const planned: Modules = {
    ...ended,
    pipeline: async () => ({
      runStudy: nowhere,
      planStudy: async () => [
        { name: "start weights", id: "0123456789abcdef", state: "shipped" },
        { name: "target none, seed 1", id: "fedcba9876543210", state: "resumes" },
      ],
    }),
  };

  test("shows each step and how far it is", async () => {
    expect(await call("validate q.yaml", planned)).toMatchObject({
      code: 0,
      err: "",
      out: [
        "state    step                 id",
        "shipped  start weights        0123456789abcdef",
        "resumes  target none, seed 1  fedcba9876543210",
        "",
        "q.yaml is valid: 2 steps, 1 to do",
        "",
      ].join("\n"),
    });
  });

  test("prints the steps as JSON", async () => {
    const { out } = await call("validate q.yaml --json", planned);
    expect(JSON.parse(out)).toMatchObject({ study: "q.yaml", steps: [{ state: "shipped" }, { state: "resumes" }] });
  });

  const estimated: Modules = {
    ...ended,
    estimator: async () => ({
      estimateStudy: async ({ threads }) => [
        { name: "start weights", id: "0123", state: "shipped", needs: [] },
        {
          name: "target none",
          id: "4567",
          state: "to do",
          needs: ["0123"],
          cost: { seconds: 60 * threads },
          basis: "finished",
        },
        {
          name: "lokt on none",
          id: "89ab",
          state: "to do",
          needs: ["4567"],
          cost: { seconds: 5, queries: 12_000 },
          basis: "rehearsed",
        },
        { name: "judge", id: "cdef", state: "to do", needs: [], basis: { unknown: "asks a judge outside" } },
      ],
    }),
  };

  test("says what each step takes, where it is asked to", async () => {
    expect(await call("validate q.yaml --estimate --threads 2", estimated)).toMatchObject({
      code: 0,
      out: [
        "state          time  queries  step           id",
        "shipped                       start weights  0123",
        "to do    2\u00a0min\u00a000\u00a0s           target none    4567",
        "to do         5.0\u00a0s   12\u202f000  lokt on none   89ab",
        "to do             ?           judge          cdef",
        "judge: asks a judge outside",
        "",
        "q.yaml is valid: 4 steps, 3 to do, about 2\u00a0min\u00a005\u00a0s with 2 threads, and 1 of unknown cost",
        "",
      ].join("\n"),
    });
  });

  test("says what several workers take, each with its share of the threads", async () => {
    const { out } = await call("validate q.yaml --estimate --threads 4 --workers 4", estimated);
    expect(out, "the attack waits for its target").toContain(
      "about 1\u00a0min\u00a005\u00a0s with 4 workers of 1 thread, and 1 of unknown cost",
    );
  });

  test("leaves out what records stand for, where it is told of a folder of them", async () => {
    const asked: unknown[] = [];
    const planStudy = async (options: object) => {
      asked.push(options);
      return [];
    };
    await call("validate q.yaml --runs r --records k", {
      ...ended,
      pipeline: async () => ({ runStudy: nowhere, planStudy }),
    });
    expect(asked).toEqual([{ studyFile: "q.yaml", runsDir: "r", recordsDir: "k" }]);
  });

  test("prints the estimate as JSON", async () => {
    const { out } = await call("validate q.yaml --estimate --threads 2 --json", estimated);
    expect(JSON.parse(out)).toMatchObject({
      study: "q.yaml",
      seconds: 125,
      unknown: 1,
      steps: [{}, {}, { cost: { queries: 12_000 } }, {}],
    });
  });
});
