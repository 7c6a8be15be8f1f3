// The page that says what was measured, what follows for the large grid, and what gives way first.

/** Seconds that a cell computes, for which the plan is made. */
const CELL_SECONDS = [5, 60, 600];
/** Requests a second and prefix that AWS S3 documents, and seconds between two looks of the grid at its queue and store. */
const S3 = { put: 3500, get: 5500 };
const LOOK = 5;
/** Progress events a second that a worker sends at most. */
const EVENTS = 1;
const CHECKPOINTS_PER_SECOND = 1 / 60;

const whole = (value) =>
  value >= 99.5 ? Math.round(value).toLocaleString("en-US") : value.toPrecision(2).replace(/\.0$/, "");
const mebibytes = (bytes) => `${whole(bytes / 2 ** 20)} MiB`;
const percent = (share) => `${share < 0.001 ? "< 0.1" : whole(100 * share)} %`;
const name = { redis: "Redis", postgres: "PostgreSQL" };

/** `docs/scale.md` from what was measured. */
export function scalePage(measured) {
  const { grid, queues, plan, step, requests, sizes, shipped, machine } = measured;
  const engines = Object.entries(queues);
  const stepsPerCell = plan.steps / grid.cells;
  const rows = (cells) => cells.map((row) => `| ${row.join(" | ")} |`).join("\n");
  const loads = limits(measured, stepsPerCell);
  const first = (seconds) => loads.filter(({ at }) => at === seconds).sort((a, b) => b.share - a.share);
  const shortest = first(CELL_SECONDS[0]);
  return `# How far a grid goes

A plan for ${whole(grid.cells)} cells on ${grid.workers} workers, from what one machine measures with steps that compute nothing. It says what the package and
its queue add to the computing, and what gives way first. It is a plan, not a run on ${grid.workers} machines. \`npm run scale\` measures and writes this page.

Measured on ${machine}; servers, grid and workers share these cores, so rates are low rather than high, and a busy machine makes them
lower still: measure anew on a quiet one.

## The queue

|  | ${engines.map(([engine]) => name[engine]).join(" | ")} |
| --- | ${engines.map(() => "---:").join(" | ")} |
${rows([
  ["steps added in a second", ...engines.map(([, q]) => whole(q.added))],
  ["empty steps handed out and ended in a second, four workers", ...engines.map(([, q]) => whole(q.handed))],
  ["progress events taken by the grid in a second", ...engines.map(([, q]) => whole(q.progress))],
  ["looks at single steps in a second", ...engines.map(([, q]) => whole(q.looks))],
  ["memory or disk of 1,000 waiting steps", ...engines.map(([, q]) => mebibytes(q.bytes))],
  ["the same for 1,000 cells", ...engines.map(([, q]) => mebibytes(q.bytes * stepsPerCell))],
  ["connections of a worker", ...engines.map(([, q]) => whole(q.connections))],
  ["connections that the server takes as it was started here", ...engines.map(([, q]) => whole(q.limit))],
])}

## The grid and its steps

|  |  |
| --- | ---: |
${rows([
  [`steps of ${whole(grid.cells)} cells (ten attacks on a target)`, whole(plan.steps)],
  ["time to put them in order", `${whole(plan.seconds)} s`],
  ["memory of the plan", mebibytes(Math.max(0, plan.bytes))],
  ["a step that computes nothing: lock, five checkpoints, record, hashes", `${whole(step * 1000)} ms`],
  ["the same for a cell", `${whole(step * stepsPerCell * 1000)} ms`],
])}

## The store

A cell whose steps are all done on machines that have nothing yet asks this of a bucket: ${whole(requests.put)} puts, ${whole(requests.get)} gets, ${whole(requests.list)} lists and ${whole(requests.remove)}
removals (steps of two files). Each checkpoint that moves adds a put for each file, once a minute.

${shipped ? "Finished steps that come with the package" : "Finished steps of a study"}:

| step | steps | files | mean size |
| --- | ---: | ---: | ---: |
${rows(sizes.map(({ kind, steps, files, bytes }) => [kind, steps, whole(files), mebibytes(bytes)]))}

A step's files go up once and come down once on each machine that needs them. For sizes of your own:
\`npm run scale -- RUNS/steps\`.

## The plan

What ${grid.workers} workers ask of each part, as a share of what it was measured to do (AWS S3: of the ${whole(S3.put)} puts and ${whole(S3.get)} gets a second that it
documents for a prefix). Above 100 % the part is what the grid waits for.

| part | ${CELL_SECONDS.map((s) => `cells of ${s} s`).join(" | ")} |
| --- | ${CELL_SECONDS.map(() => "---:").join(" | ")} |
${rows([
  ["time of the whole grid, computing alone", ...CELL_SECONDS.map((s) => hours((grid.cells * s) / grid.workers))],
  [
    "time with what the package adds to a step",
    ...CELL_SECONDS.map((s) => hours((grid.cells * (s + step * stepsPerCell)) / grid.workers)),
  ],
  ...[...new Set(loads.map(({ part }) => part))].map((part) => [
    part,
    ...CELL_SECONDS.map((s) => percent(loads.find((load) => load.part === part && load.at === s).share)),
  ]),
])}

With cells of ${CELL_SECONDS[0]} s the first to give way is: ${shortest[0].part} (${percent(shortest[0].share)}), then ${shortest[1].part} (${percent(shortest[1].share)}).
With cells of ${CELL_SECONDS.at(-1)} s: ${first(CELL_SECONDS.at(-1))[0].part} (${percent(first(CELL_SECONDS.at(-1))[0].share)}).

- Connections: raise the server's limit (\`max_connections\`, \`maxclients\`) before the workers start.
- Looks: a grid looks at all steps that it has put into the queue every ${LOOK} seconds, and less often where that takes more than half a second. Above 100 %
  it notices a step that the queue lost, or whose end it did not hear, that much later; nothing is lost.
- Not measured: networks between machines, real servers of S3, and what ${grid.workers} machines read at once from one shared folder.
`;
}

/** Every part's load, for each length of a cell. */
function limits({ grid, queues, plan, requests }, stepsPerCell) {
  return CELL_SECONDS.flatMap((at) => {
    const cellsPerSecond = grid.workers / at;
    const perEngine = Object.entries(queues).flatMap(([engine, q]) => [
      { part: `${name[engine]}: steps handed out`, share: (cellsPerSecond * stepsPerCell) / q.handed },
      { part: `${name[engine]}: progress events`, share: (grid.workers * EVENTS) / q.progress },
      { part: `${name[engine]}: connections`, share: (grid.workers * q.connections) / q.limit },
      // All attacks of the grid may wait at once.
      { part: `${name[engine]}: looks at waiting steps`, share: Math.min(grid.cells, plan.steps) / q.looks / LOOK },
    ]);
    const puts = cellsPerSecond * requests.put + grid.workers * 3 * CHECKPOINTS_PER_SECOND;
    return [
      ...perEngine,
      { part: "S3: puts", share: puts / S3.put },
      { part: "S3: gets", share: (cellsPerSecond * requests.get) / S3.get },
    ].map((load) => ({ ...load, at }));
  });
}

function hours(seconds) {
  return seconds < 7200 ? `${whole(seconds / 60)} min` : `${whole(seconds / 3600)} h`;
}
