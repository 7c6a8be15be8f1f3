import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BUCKET, KEY_ID, type S3Server, s3Server } from "../../../test/support/s3-server.ts";
import type { StudyEvent } from "../../study/events.ts";
import { Interrupted } from "../../study/interrupted.ts";
import { stepFolder } from "../../study/step-record.ts";
import type { StepContext, StepStore } from "../../study/step-store.ts";
import { s3Address } from "./address.ts";
import { openS3Store } from "./index.ts";

let root = "";
let server: S3Server;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "s3-"));
  server = await s3Server();
  vi.stubEnv("AWS_ACCESS_KEY_ID", KEY_ID);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "secret");
  vi.stubEnv("AWS_REGION", "us-east-1");
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_CONFIG_FILE", join(root, "none"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(root, "none"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.close();
  rmSync(root, { recursive: true });
});

const spec = { kind: "target", version: 1, config: { epochs: 2 }, inputs: {} };
const folder = stepFolder(spec);
const RECORD = `p/steps/${folder}.json`;
const OUTPUT = "weights of a target";

/** A machine with a folder of its own. */
function machine(name: string, options: { readonly every?: number; readonly bucket?: string } = {}) {
  const runsDir = join(root, name);
  const runs = openS3Store(s3Address(`s3://${options.bucket ?? BUCKET}/p`, server.endpoint), runsDir, options.every);
  const warnings: string[] = [];
  const abort = new AbortController();
  const events = (event: StudyEvent) => {
    if (event.type === "warning") warnings.push(event.message);
  };
  const steps: StepStore = runs.openSteps({ events, signal: abort.signal });
  let computed = 0;
  const compute = () =>
    steps.run(spec, "target", async ({ dir }) => {
      computed++;
      writeFileSync(join(dir, "weights"), OUTPUT);
    });
  return { runsDir, runs, steps, warnings, abort, compute, times: () => computed };
}

/** The key of the step's only file. */
const weightsKey = () => [...server.objects.keys()].find((key) => key.endsWith("/weights"))!;

describe("a step computed on one machine", () => {
  test("is brought to another, and computed once; its record is put last", async () => {
    const [first, second] = [machine("first"), machine("second")];
    await first.compute();
    const puts = server.requests.filter((line) => line.startsWith("PUT"));
    expect(puts).toEqual([expect.stringMatching(/^PUT p\/steps\/.*\/weights$/), `PUT ${RECORD}`]);
    const result = await second.compute();
    expect([second.times(), result.reused]).toEqual([0, true]);
    expect(readFileSync(join(second.runsDir, "steps", folder, "weights"), "utf8")).toBe(OUTPUT);
    expect(readFileSync(join(second.runsDir, "steps", folder, "step.json"))).toEqual(server.objects.get(RECORD));
    expect(await second.runs.finished.find(folder)).toMatchObject({ source: "store" });
    expect((await second.runs.finished.names!()).has(folder)).toBe(true);
    expect([...first.warnings, ...second.warnings]).toEqual([]);
  });

  test("is never taken half: without its record it is computed anew, and the rest of the cut upload goes", async () => {
    server.fault = (method, key) =>
      method === "PUT" && key === RECORD ? { status: 403, code: "AccessDenied" } : undefined;
    const cut = machine("cut");
    await expect(cut.compute()).rejects.toThrow(/access denied/);
    server.objects.set(`p/steps/${folder}/0123456789abcdef/weights`, Buffer.from("half"));
    server.fault = () => undefined;
    const next = machine("next");
    expect(await next.runs.finished.find(folder)).toBe(undefined);
    await next.compute();
    expect(next.times()).toBe(1);
    expect([...server.objects.keys()].filter((key) => key.endsWith("/weights"))).toHaveLength(1);
    // The machine whose upload was cut needs nothing but to hand it in.
    const again = machine("cut");
    await again.compute();
    expect(again.times()).toBe(0);
  });

  test("goes through connections that are cut on the way in and out", async () => {
    const cuts = new Set(["PUT", "GET"]);
    server.fault = (method, key) => (key.endsWith("/weights") && cuts.delete(method) ? "cut" : undefined);
    const [first, second] = [machine("first"), machine("second")];
    await first.compute();
    await second.compute();
    expect([cuts.size, second.times()]).toEqual([0, 0]);
    expect([...first.warnings, ...second.warnings]).toHaveLength(2);
    for (const warning of [...first.warnings, ...second.warnings])
      expect(warning).toMatch(/weights at http.*trying again$/);
  });

  test.each([
    ["other bytes", Buffer.from(OUTPUT.toUpperCase()), "has other content than was written"],
    ["a part", Buffer.from(OUTPUT.slice(4)), `has ${OUTPUT.length - 4} bytes instead of ${OUTPUT.length}`],
    ["nothing", undefined, "is missing"],
  ])(
    "with %s in the place of a file is computed anew, with a warning, and mended in the bucket",
    async (_, bytes, message) => {
      await machine("first").compute();
      if (bytes === undefined) server.objects.delete(weightsKey());
      else server.objects.set(weightsKey(), bytes);
      const second = machine("second");
      await second.compute();
      expect(second.times()).toBe(1);
      expect(second.warnings).toEqual([expect.stringContaining(message)]);
      const third = machine("third");
      await third.compute();
      expect(third.times()).toBe(0);
    },
  );

  test("whose record names a file outside its folder writes nothing there", async () => {
    await machine("first").compute();
    const record = server.objects.get(RECORD)!.toString().replace('"weights"', '"../../../outside"');
    server.objects.set(RECORD, Buffer.from(record));
    const second = machine("second");
    await second.compute();
    expect(second.warnings[0]).toContain('lists "../../../outside", which is no path within a step');
    expect(existsSync(join(root, "outside"))).toBe(false);
  });

  test("is refused by the server where the file has changed since it was written", async () => {
    const first = machine("first");
    server.fault = (method) => (method === "PUT" ? { status: 403, code: "AccessDenied" } : undefined);
    await expect(first.compute()).rejects.toThrow();
    server.fault = () => undefined;
    writeFileSync(join(first.runsDir, "steps", folder, "weights"), OUTPUT.toUpperCase());
    await expect(machine("first").compute()).rejects.toThrow(/weights at .*: what arrived is not what was sent/);
  });
});

test("two machines that finish one step keep the first outcome, with its files", async () => {
  const [first, second] = [machine("first"), machine("second")];
  const write =
    (text: string, then: () => Promise<unknown>) =>
    async ({ dir }: { readonly dir: string }) => {
      writeFileSync(join(dir, "weights"), text);
      await then();
    };
  // The second begins and ends while the first is at it.
  await first.steps.run(
    spec,
    "target",
    write("slow", () =>
      second.steps.run(
        spec,
        "target",
        write("fast", async () => {}),
      ),
    ),
  );
  const third = machine("third");
  const { dir } = await third.steps.run(
    spec,
    "target",
    write("never", async () => {}),
  );
  expect(readFileSync(join(dir, "weights"), "utf8")).toBe("fast");
  expect([...server.objects.keys()].filter((key) => key.endsWith("/weights"))).toHaveLength(1);
});

test("a step that one machine began goes on from its checkpoint on another, and its progress goes when it is done", async () => {
  const body = (machineName: ReturnType<typeof machine>, end: number) =>
    machineName.steps.run(spec, "target", async (context) => {
      const kept = await context.loadCheckpoint("state");
      for (let epoch = kept === undefined ? 0 : kept[0]!; epoch < 4; epoch++) {
        if (epoch === end) machineName.abort.abort();
        if (context.signal.aborted) throw new Interrupted("target");
        await context.log({ epoch });
        await context.saveCheckpoint("state", new Uint8Array([epoch + 1]));
      }
      writeFileSync(join(context.dir, "weights"), OUTPUT);
    });
  // Each checkpoint goes to the bucket on the first machine; on the second the newest alone, when it is told to stop.
  await expect(body(machine("first", { every: 0 }), 2)).rejects.toThrow(Interrupted);
  await expect(body(machine("second"), 3)).rejects.toThrow(Interrupted);
  expect([...server.objects.keys()].filter((key) => key.endsWith("/checkpoint/state"))).toHaveLength(1);
  const { dir } = await body(machine("third"), -1);
  expect(readFileSync(join(dir, "metrics.jsonl"), "utf8").trim().split("\n")).toEqual(
    [0, 1, 2, 3].map((epoch) => `{"epoch":${epoch}}`),
  );
  expect([...server.objects.keys()].filter((key) => key.includes("/progress/"))).toEqual([]);
});

test("of a step under way nothing but what it goes on from leaves the machine: no features of private images", async () => {
  const first = machine("first", { every: 0 });
  const body = async (context: StepContext) => {
    mkdirSync(join(context.dir, "preview"));
    for (const name of ["target.features.f32", "weights", "preview/latest.png"])
      writeFileSync(join(context.dir, name), "of private images");
    await context.log({ epoch: 0 });
    await context.saveCheckpoint("target", new Uint8Array([1]));
    throw new Error("stopped here");
  };
  await expect(first.steps.run(spec, "target", body)).rejects.toThrow("stopped here");
  const kept = [...server.objects.keys()].filter((key) => key.includes("/progress/") && !key.endsWith(".json"));
  expect(kept.map((key) => key.split("/").slice(4).join("/")).sort()).toEqual(["checkpoint/target", "metrics.jsonl"]);
  const sent = [...server.objects.values()].map((bytes) => bytes.toString());
  expect(sent.filter((text) => text.includes("private") || text.includes("features"))).toEqual([]);
});

test("a bucket has one queue, whoever asks first, and grids that end", async () => {
  const { runs } = machine("one");
  const names = await Promise.all(Array.from({ length: 5 }, () => runs.queueName()));
  expect(new Set(names).size).toBe(1);
  await runs.writeGrid("g", "{}");
  expect(await runs.readGrid("g")).toBe("{}");
  await runs.endGrid("g");
  expect(await runs.readGrid("g")).toBe(undefined);
});

describe("what a server refuses is said in one sentence", () => {
  test.each<[string, () => unknown, RegExp]>([
    [
      "a wrong key",
      () => vi.stubEnv("AWS_ACCESS_KEY_ID", "nobody"),
      /^s3:\/\/studies\/p\/store-id at .*: the server does not know the access key; look at AWS_ACCESS_KEY_ID/,
    ],
    ["no key", () => vi.stubEnv("AWS_ACCESS_KEY_ID", ""), /no access key was found; set AWS_ACCESS_KEY_ID/],
    ["no region", () => vi.stubEnv("AWS_REGION", undefined), /no region is set; set AWS_REGION/],
    [
      "a right that is missing",
      () => (server.fault = () => ({ status: 403, code: "AccessDenied" })),
      /access denied; look at/,
    ],
    [
      "a server that is not there",
      () => server.close(),
      /the server cannot be reached \(connect ECONNREFUSED .*\); look at --store-endpoint/,
    ],
    ["a server in trouble", () => (server.fault = () => ({ status: 500, code: "InternalError" })), /500 InternalError/],
  ])("%s", async (_, arrange, message) => {
    await arrange();
    const error = await machine("one")
      .runs.queueName()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "StoreError", exitCode: 2 });
    expect((error as Error).message).toMatch(message);
  });

  test("a bucket that is not there", async () => {
    await expect(machine("one", { bucket: "wrong" }).runs.queueName()).rejects.toThrow(
      /^s3:\/\/wrong\/.*there is no such bucket/,
    );
  });
});

test.each(["studies", "s3://", "s3://B_cket", "s3://studies/../other", "https://studies/p"])(
  "%s is no store",
  (text) => {
    expect(() => s3Address(text)).toThrow("expected a bucket and a prefix such as s3://bucket/studies");
  },
);

test("an endpoint with a password is refused", () => {
  expect(() => s3Address("s3://studies", "http://a:b@h")).toThrow("--store-endpoint: expected an address");
});
