import { cellOf } from "../report/gate/cell-name.ts";
import type { GateResult } from "../study/gate.ts";
import type { Colors } from "./io.ts";
import { table } from "./table.ts";

/** A gate's verdict for people: a line a check, then the verdict. */
export function gateTable({ passed, checks }: GateResult, colors: Colors): string {
  const rows = checks.map((check) => [cellOf(check), check.demand, check.outcome, check.message]);
  const [heading = "", ...lines] = table(
    [{ title: "cell" }, { title: "demand" }, { title: "outcome" }, { title: "measured" }],
    rows,
  )
    .trimEnd()
    .split("\n");
  const painted = lines.map((line, at) => {
    const check = checks[at];
    if (check === undefined || check.outcome === "holds") return line;
    return (check.passed ? colors.yellow : colors.red)(line);
  });
  const broken = checks.filter((check) => !check.passed);
  const verdict = passed
    ? colors.green(`gate passed: ${checks.length} of ${checks.length} checks`)
    : colors.red(`gate failed: ${broken.length} of ${checks.length} checks`);
  const undefendedAlone = broken.length > 0 && broken.every(({ defense }) => defense === "none");
  const hint =
    undefendedAlone && checks.some(({ defense }) => defense !== "none")
      ? "only undefended targets fail: choose what is judged with --defense, or with `defenses` in the study's gate\n"
      : "";
  return `${[heading, ...painted].join("\n")}\n\n${verdict}\n${hint}`;
}
