import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import { call, study, withRun } from "../../test/support/cli-call.ts";
import { Interrupted } from "../study/interrupted.ts";

describe("usage", () => {
  test("help and version are results and leave with 0", async () => {
    expect(await call("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+/), err: "" });
    const help = await call("--help");
    expect(help).toMatchObject({ code: 0, err: "" });
    for (const word of [
      "run",
      "grid",
      "worker",
      "validate",
      "ls",
      "report",
      "doctor",
      "export",
      "user-study",
      "gate",
      "compare",
      "verify",
      "explain",
      "serve",
      "--json",
    ])
      expect(help.out).toContain(word);
  });

  test.each([
    ["", "Usage: tldmi"],
    ["rum a.yaml", "Did you mean run?"],
    ["run", "missing required argument 'study'"],
    ["run a.yaml --jsn", "Did you mean --json?"],
    ["run a.yaml --threads 0", "expected a positive whole number"],
    ["run a.yaml b.yaml", "too many arguments"],
    ["ls attack", "Allowed choices are attacks, defenses"],
    ["user-study make runs/x", "required option '--out <dir>' not specified"],
    ["user-study make runs/x --out d --questions 0", "expected at least 1"],
    ["user-study make runs/x --out d --seed -1", "expected a whole number"],
    ["user-study score pack", "missing required argument 'answers'"],
    ["run a.yaml --shard 9/8", "expected a shard and how many there are, such as 1/8"],
    ["run a.yaml --shard 0/8", "expected a shard and how many there are, such as 1/8"],
    ["grid a.yaml", "expected --queue with the address of a Redis or PostgreSQL server, or --emit"],
    ["grid a.yaml --emit pbs", "Allowed choices are slurm, kubernetes"],
    ["grid a.yaml --queue redis://h --priority 1001", "expected a whole number from 1 to 1000"],
    ["worker", "expected --queue with the address of a Redis or PostgreSQL server"],
    ["worker --queue redis://h --lease 1", "expected at least 2 seconds"],
    ["export runs/x", "expected one of --onnx and --safetensors"],
    ["export runs/x --onnx --safetensors", "expected one of --onnx and --safetensors"],
  ])("`tldmi %s` leaves with 2 and says what is wrong on stderr", async (args, message) => {
    expect(await call(args)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
  });
});

describe("Ctrl-C", () => {
  const hearing = (signals: EventEmitter, name: string, times: number) =>
    withRun(async ({ signal }) => {
      for (let i = 0; i < times; i++) signals.emit(name);
      if (signal.aborted) throw new Interrupted("target");
      return { result: study, studyDir: "s" };
    });

  test.each(["SIGINT", "SIGTERM"])("once (%s) lets the study save and stop, and leaves with 130", async (name) => {
    const signals = new EventEmitter();
    const { code, out, err, left } = await call("run q.yaml --json", hearing(signals, name, 1), signals);
    expect({ code, out, left }).toEqual({ code: 130, out: "", left: [] });
    expect(err).toMatch(/saving a checkpoint first; once more to leave at once\n[\s\S]*run the same command to resume/);
  });

  test("twice leaves at once", async () => {
    const signals = new EventEmitter();
    expect((await call("run q.yaml", hearing(signals, "SIGINT", 2), signals)).left).toEqual([130]);
  });

  test("is nobody's business once the command is over", async () => {
    const signals = new EventEmitter();
    await call("run q.yaml", hearing(signals, "SIGINT", 0), signals);
    expect(signals.eventNames()).toEqual([]);
  });
});
