import { expect, test } from "vitest";
import { call, ended } from "../../../test/support/cli-call.ts";
import type { Modules } from "../modules.ts";

test("export passes the format and the file on, and prints where it is", async () => {
  const seen: unknown[] = [];
  const exporting: Modules = {
    ...ended,
    exporter: async () => ({
      exportRun: async (run, options) => {
        seen.push([run, options]);
        return "model.onnx";
      },
    }),
  };
  expect(await call("export runs/x --onnx", exporting)).toMatchObject({ code: 0, out: "model.onnx\n" });
  await call("export runs/x --safetensors --out w.safetensors", exporting);
  expect(seen).toEqual([
    ["runs/x", { format: "onnx" }],
    ["runs/x", { format: "safetensors", out: "w.safetensors" }],
  ]);
});
