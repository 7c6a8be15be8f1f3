// Stands for the command line in tests of the server: says what it was called with, runs until it is stopped, plans two steps, and says
// what they take, which of a study called endless it never finds out.
import { readFileSync, writeFileSync } from "node:fs";

const args = process.argv.slice(2);
const tell = (file, what) => writeFileSync(`${args[args.indexOf("--runs") + 1]}/${file}.json`, JSON.stringify(what));
const estimate = args.includes("--estimate");
const plans = args[0] === "validate" && !(estimate && /^name: endless$/m.test(readFileSync(args[1], "utf8")));
if (!plans) {
  process.on("SIGTERM", () => {
    process.stderr.write("stopping: saving a checkpoint first\n");
    tell("stopped", { args });
    process.exit(130);
  });
  setInterval(() => {}, 1000);
}
tell("called", { args, cwd: process.cwd() });
if (plans) {
  const cost = estimate && { cost: { seconds: 754, queries: 12_000 }, basis: "rehearsed" };
  const steps = [
    { name: "start weights", id: "a", state: "shipped" },
    { name: "target none, seed 1", id: "b", state: "to do", ...cost },
  ];
  process.stdout.write(JSON.stringify({ study: args[1], steps }));
} else process.stderr.write("target none, seed 1\n");
