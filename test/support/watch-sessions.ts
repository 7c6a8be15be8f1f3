import { createRequire } from "node:module";
import type ort from "onnxruntime-node";
import { vi } from "vitest";

/** Counts the runtime's sessions that are made and released from now on; `stop` gives both. Their memory is outside the collector's reach. */
export function watchSessions(): { stop(): { made: number; released: number } } {
  const { InferenceSession } = createRequire(import.meta.url)("onnxruntime-node") as typeof ort;
  let released = 0;
  const create = InferenceSession.create.bind(InferenceSession) as (
    ...args: readonly unknown[]
  ) => Promise<ort.InferenceSession>;
  const made = vi.spyOn(InferenceSession, "create").mockImplementation(async (...args: readonly unknown[]) => {
    const session = await create(...args);
    const release = session.release.bind(session);
    session.release = () => {
      released += 1;
      return release();
    };
    return session;
  });
  return {
    stop() {
      const counts = { made: made.mock.calls.length, released };
      made.mockRestore();
      return counts;
    },
  };
}
