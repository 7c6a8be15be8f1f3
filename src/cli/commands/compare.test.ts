import { expect, test } from "vitest";
import { call, cell, ended, study, studyFolder } from "../../../test/support/cli-call.ts";
import type { CellResult } from "../../study/result.ts";
import type { Modules } from "../modules.ts";

const modules: Modules = { ...ended, decide: () => import("../../report/decide.ts") };
const basis = { train: "a", test: "b", evaluationModel: "c" };
const folder = (only: CellResult) => studyFolder({ ...study, cells: [only] });

test("shows both, the difference with its interval, and whether intervals are apart", async () => {
  const first = folder({ ...cell, basis });
  const second = folder({ ...cell, basis, attackAccuracy: { value: 0.2, n: 100, low: 0.15, high: 0.25 } });
  const { code, out } = await call(`compare ${first} ${second}`, modules);
  expect(code).toBe(0);
  expect(out).toMatch(
    /attack\.top1 +0\.500 \[0\.400, 0\.600\] +0\.200 \[0\.150, 0\.250\] +−0\.300 \[−0\.412, −0\.188\] +better\n/,
  );
  expect(out).toMatch(/natural +.* no difference shown\n/);
  expect(out).toMatch(/parameters\.trainable +1\u202f000 +1\u202f000 +0 +the same\n/);
  expect(JSON.parse((await call(`compare ${first} ${second} --json`, modules)).out)).toMatchObject({
    pairs: [{ first: cell.run, second: cell.run, settings: [] }],
    unpaired: { first: [], second: [] },
  });
  const other = folder({ ...cell, basis: { ...basis, test: "x" } });
  expect(await call(`compare ${first} ${other}`, modules)).toMatchObject({
    code: 2,
    out: "",
    err: expect.stringContaining("are not comparable:\n  other data: the private test images differ"),
  });
});
