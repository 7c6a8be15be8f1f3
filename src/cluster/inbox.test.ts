import { expect, test } from "vitest";
import { openInbox } from "./inbox.ts";

const LONG = 60_000;

test("what was put in before is taken at once, in its order, and once", async () => {
  const inbox = openInbox<number>(new AbortController().signal);
  inbox.put(1);
  inbox.put(2);
  expect(await inbox.take(LONG)).toEqual([1, 2]);
  expect(await inbox.take(1)).toEqual([]);
});

test("who waits is woken by what is put in, and by an abort", async () => {
  const controller = new AbortController();
  const inbox = openInbox<number>(controller.signal);
  const first = inbox.take(LONG);
  inbox.put(3);
  expect(await first).toEqual([3]);
  const second = inbox.take(LONG);
  controller.abort();
  expect(await second).toEqual([]);
  expect(await inbox.take(LONG), "nothing is waited for any more").toEqual([]);
});
