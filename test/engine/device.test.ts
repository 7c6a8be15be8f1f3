import ort from "onnxruntime-node";
import { afterEach, expect, test, vi } from "vitest";
import { currentDevice, DEVICES, setCurrentDevice } from "../../src/engine/device.ts";
import { input } from "../../src/engine/graph.ts";
import { conv2d } from "../../src/engine/ops/conv.ts";
import { random } from "../../src/engine/random.ts";
import { blockSize, compile, deviceStates, setDevice } from "../../src/engine/runtime.ts";

afterEach(() => {
  setCurrentDevice("cpu");
  vi.restoreAllMocks();
});

/** Compiles a convolution that the blocked layout would take, and gives what the runtime was asked for. */
async function asked() {
  const seen: { model: Buffer; providers: unknown }[] = [];
  const create = ort.InferenceSession.create.bind(ort.InferenceSession) as (
    model: Uint8Array,
    options: ort.InferenceSession.SessionOptions,
  ) => Promise<ort.InferenceSession>;
  vi.spyOn(ort.InferenceSession, "create").mockImplementation((async (
    model: Uint8Array,
    options: ort.InferenceSession.SessionOptions,
  ) => {
    seen.push({ model: Buffer.from(model), providers: options.executionProviders });
    return create(model, { ...options, executionProviders: ["cpu"] });
  }) as never);
  const y = conv2d(input("x", [1, 32, 8, 8]), input("w", [32, 32, 3, 3]), { padding: 1 });
  const program = await compile({ outputs: { y } });
  const rng = random(1, "device");
  const fed = { x: rng.normals(32 * 64), w: rng.normals(32 * 32 * 9) };
  const result = (await program.run(fed)).y!.data.slice();
  await program.release();
  return { ...seen.at(-1)!, result };
}

test("programs go to the chosen device with the processor behind it, in the standard layout", async () => {
  const block = await blockSize();
  const here = await asked();
  expect(here.providers).toEqual(["cpu"]);
  expect(here.model.includes("com.microsoft.nchwc")).toBe(block > 0);
  vi.restoreAllMocks();
  setCurrentDevice("webgpu");
  const there = await asked();
  expect(there.providers).toEqual(["webgpu", "cpu"]);
  expect(there.model.includes("com.microsoft.nchwc")).toBe(false);
  for (const [i, x] of there.result.entries()) expect(x).toBeCloseTo(here.result[i]!, 4);
});

test("the processor is always usable; of the others every one is tried or said not to be there", async () => {
  const states = await deviceStates();
  expect(states.map(({ device }) => device)).toEqual([...DEVICES]);
  expect(states[0]).toEqual({ device: "cpu" });
  await setDevice("cpu");
  for (const { device, problem } of states.filter((s) => s.problem !== undefined)) {
    const refusal = await setDevice(device).catch((error: Error) => error);
    expect(refusal).toMatchObject({ name: "UserError", exitCode: 2 });
    // What is missing, and how to get it, in one line.
    const { message } = refusal as Error;
    expect(message).toContain(`device ${device} cannot be used here: ${problem}; it needs `);
    expect(message).not.toContain("\n");
  }
  expect(currentDevice()).toBe("cpu");
});

test("a provider that the runtime would pass over in silence is an error", async () => {
  vi.spyOn(ort, "listSupportedBackends").mockReturnValue([{ name: "cpu", bundled: true }]);
  await expect(setDevice("coreml")).rejects.toThrow(/no such provider; it needs macOS/);
});

test("a device that computes something else is refused", async () => {
  vi.spyOn(ort, "listSupportedBackends").mockReturnValue([{ name: "dml", bundled: true }]);
  const wrong = { run: async () => ({ y: new ort.Tensor("float32", [1, 2, 3, 4], [2, 2]) }), release: async () => {} };
  vi.spyOn(ort.InferenceSession, "create").mockResolvedValue(wrong as never);
  await expect(setDevice("dml")).rejects.toThrow("a small matrix product comes out wrong (1, 2, 3, 4)");
});
