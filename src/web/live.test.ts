import { expect, test } from "vitest";
import type { StepAt } from "../server/api.ts";
import { type Live, secondsLeft, withStep } from "./live.ts";

const NOTHING: Live = { ended: [], progress: [], warnings: [], lost: false };
const line = (done: number, time: number): StepAt => ({
  step: "target",
  id: "t",
  state: "running",
  done,
  total: 100,
  unit: "epochs",
  time,
});

test("time left is the median pace of recent lines, so that one long pause does not count", () => {
  const times = [0, 2, 4, 6, 60, 62, 64, 66];
  expect(secondsLeft(times.map((second, i) => line(i + 1, second * 1000)))).toBe(2 * 92);
  expect(secondsLeft([line(1, 0)])).toBeUndefined();
  expect(secondsLeft([])).toBeUndefined();
});

test("a step's lines add up while it works, and go when it ends or another begins", () => {
  const begun = withStep(NOTHING, { step: "target", id: "t", state: "running", time: 0 });
  expect(begun.progress).toEqual([]);
  const going = withStep(withStep(begun, line(1, 1000)), line(2, 2000));
  expect([going.now?.done, going.progress.length]).toEqual([2, 2]);
  const other = withStep(going, { ...line(1, 3000), id: "u" });
  expect(other.progress.map(({ id }) => id)).toEqual(["u"]);
  const ended = withStep(going, { step: "target", id: "t", state: "done", time: 4000, seconds: 4 });
  expect(ended).toMatchObject({ ended: [{ id: "t" }], progress: [] });
  expect(ended.now).toBeUndefined();
});
