import { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { leavingAfter } from "./leave.ts";

/** A stream whose reader is gone, or whose disk is full, from the start. */
const refusing = (code: string) =>
  new Writable({
    write: (_chunk, _encoding, done) => void setTimeout(5).then(() => done(Object.assign(new Error(code), { code }))),
  });

async function leaving(stdout: Writable, command: () => Promise<number>): Promise<number> {
  const left = new Promise<number>((exit) => {
    const leave = leavingAfter(stdout, exit);
    stdout.write("result\n");
    void command().then(leave);
  });
  return left;
}

test.each([0, 3, 4])(
  "a command whose reader has left comes to its end and leaves with its own code, %i",
  async (code) => {
    let ended = false;
    const late = async () => {
      await setTimeout(40);
      ended = true;
      return code;
    };
    expect(await leaving(refusing("EPIPE"), late)).toBe(code);
    expect(ended).toBe(true);
    expect(await leaving(refusing("EPIPE"), async () => code)).toBe(code);
  },
);

test("a process leaves when its results are out, not before", async () => {
  const out: string[] = [];
  const slow = new Writable({
    write: (chunk: Buffer, _encoding, done) =>
      void setTimeout(20).then(() => {
        out.push(chunk.toString());
        done();
      }),
  });
  expect(await leaving(slow, async () => 3)).toBe(3);
  expect(out.join("")).toBe("result\n");
});

test.each([0, 40])(
  "what cannot be written for another reason is no success, whenever it shows (%i ms)",
  async (late) => {
    expect(await leaving(refusing("ENOSPC"), () => setTimeout(late, 0))).toBe(1);
  },
);
