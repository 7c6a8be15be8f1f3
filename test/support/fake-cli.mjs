// Stands for the command line in tests of the server: says what it was called with, runs until it is stopped, plans two steps.
import { writeFileSync } from "node:fs";

const args = process.argv.slice(2);
writeFileSync(`${args[args.indexOf("--runs") + 1]}/called.json`, JSON.stringify({ args, cwd: process.cwd() }));
if (args[0] === "validate") {
  const steps = [
    { name: "start weights", id: "a", state: "shipped" },
    { name: "target none, seed 1", id: "b", state: "to do" },
  ];
  process.stdout.write(JSON.stringify({ study: args[1], steps }));
} else {
  process.stderr.write("target none, seed 1\n");
  process.on("SIGTERM", () => {
    process.stderr.write("stopping: saving a checkpoint first\n");
    process.exit(130);
  });
  setInterval(() => {}, 1000);
}
