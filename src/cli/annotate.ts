import { gateAnnotations } from "../report/gate/annotations.ts";
import type { GateResult } from "../study/gate.ts";
import type { CliIo } from "./io.ts";

/** Whose annotations are written; `none` asks for none where the environment would. */
export const ANNOTATIONS = ["github", "none"] as const;
export type Annotations = (typeof ANNOTATIONS)[number];

/** Writes a gate's annotations to stderr, which GitHub Actions reads like stdout, where they are asked for or the job is one of its own. */
export function annotate(name: string, gate: GateResult, io: CliIo, asked?: Annotations): void {
  const wanted = asked ?? (io.env.GITHUB_ACTIONS === "true" ? "github" : "none");
  if (wanted === "github") io.stderr.write(gateAnnotations(name, gate));
}
