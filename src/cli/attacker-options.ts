import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { parseDuration } from "../study/audit/budget.ts";
import { names } from "./brought-model.ts";

/** Reads `30m`, `2h` or `90s` as seconds. @throws InvalidArgumentError for anything else */
function seconds(text: string): number {
  const found = parseDuration(text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError("expected a time such as 30m, 2h or 90s.");
}

export const accessOption = new Option("--access <what>", "what the attacker has of the model")
  .choices(["white-box", "scores", "labels"] as const)
  .default("white-box" as const);

export const attacksOption = new Option(
  "--attacks <kinds>",
  "attacks, by commas (tldmi ls attacks); by default those that the access allows and the budget has room for",
).argParser(names);

export const budgetOption = new Option(
  "--budget <time>",
  "how long it may take: 30m (the default where no attacks are named), 2h",
).argParser(seconds);
