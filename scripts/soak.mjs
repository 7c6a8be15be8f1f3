// Attacks a small target again and again and watches the memory of the process: npm run soak [-- MINUTES]   (120 by default)
// Fails where the median of the last quarter is more than 5 % above that of the first. The first tenth warms up and is not counted.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const WARM_UP = 0.1;
const MOST = 1.05;
const MEBIBYTE = 2 ** 20;

const minutes = Number(process.argv[2] ?? 120);
if (!(minutes > 0)) {
  process.stderr.write(`${process.argv[2]}: expected a number of minutes above 0\n`);
  process.exit(2);
}
const { module } = await runnerImport(fileURLToPath(new URL("../test/support/soak-work.ts", import.meta.url)));
const attack = await module.openSoak();

const began = performance.now();
const elapsed = () => (performance.now() - began) / 60_000 / minutes;
/** After each attack: when, as a share of the time; resident memory in bytes; iterations until then. */
const samples = [];
let iterations = 0;
for (let round = 0; elapsed() < 1; round++) {
  iterations += (await attack(round)).iterations;
  globalThis.gc();
  samples.push({ at: elapsed(), resident: process.memoryUsage().rss, iterations });
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const span = (1 - WARM_UP) / 4;
const quarters = [0, 1, 2, 3].map((quarter) => {
  const from = WARM_UP + quarter * span;
  const within = samples.filter(({ at }) => at >= from && (quarter === 3 || at < from + span));
  const resident = median(within.map((sample) => sample.resident));
  return { within: within.length, resident, until: within.at(-1)?.iterations ?? 0 };
});
if (quarters.some(({ within }) => within === 0)) {
  process.stderr.write(`${minutes} minutes are too few here: a quarter of them has no whole attack\n`);
  process.exit(2);
}
const rows = quarters.map(({ within, resident, until }, at) => [
  at + 1,
  within,
  until,
  (resident / MEBIBYTE).toFixed(1),
]);
const lines = [
  ["quarter", "attacks", "iterations until then", "resident, MiB (median)"],
  ["---", "---", "---", "---"],
  ...rows,
];
process.stdout.write(`${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`);
const ratio = quarters[3].resident / quarters[0].resident;
const verdict = ratio > MOST ? "memory grows" : "memory stays";
process.stdout.write(
  `${verdict}: last quarter to first ${ratio.toFixed(3)}, at most ${MOST}; the first tenth of the time warms up\n`,
);
process.exit(ratio > MOST ? 1 : 0);
