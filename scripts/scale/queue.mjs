// What one queue does on this machine: steps handed out in a second, progress taken in a second, memory, connections.
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import Redis from "ioredis";
import pg from "pg";
import { openBullmqQueue } from "../../dist/cluster/bullmq-queue.js";
import { queueAddress } from "../../dist/cluster/queue-address.js";

const STEPS = 400;
const WORKERS = 4;
const PROGRESS = 200;

const steps = (prefix, count) =>
  Array.from({ length: count }, (_, at) => ({
    id: `${prefix}-${String(at).padStart(16, "0")}`,
    name: `gmi (max-margin) on tl-dmi, seed ${at}`,
    grid: "ten-thousand-0123abcd",
    priority: 100_000,
  }));

const noError = () => {};

/** Measures a queue at an address. Rates in steps or events a second, memory in bytes for 1,000 steps that wait. */
export async function measureQueue(engine, url) {
  const address = queueAddress(url);
  const open = () => openBullmqQueue({ address, name: "tldmi-scale", lease: 30 });
  const server = engine === "redis" ? redisFacts(url) : postgresFacts(url);
  const queue = await open();
  try {
    const connections = await connectionsOfWorker(queue, open, server);
    const before = await server.bytes();
    const since = performance.now();
    await queue.add(steps("wait", STEPS));
    const added = STEPS / seconds(since);
    const bytes = ((await server.bytes()) - before) * (1000 / STEPS);
    const looked = performance.now();
    await Promise.all(steps("wait", STEPS).map(({ id }) => queue.look(id)));
    const looks = STEPS / seconds(looked);

    const queues = await Promise.all(Array.from({ length: WORKERS }, open));
    let done = 0;
    const began = performance.now();
    const working = await Promise.all(
      queues.map((own) => own.work({ process: async () => void done++, onError: noError })),
    );
    while (done < STEPS) await setTimeout(5);
    const handed = done / seconds(began);

    let heard = 0;
    const stop = await queue.watch(({ type }) => {
      if (type === "progress") heard++;
    });
    await Promise.all(working.map((worker) => worker.close()));
    const teller = await queues[0].work({
      async process(_, report) {
        const event = {
          type: "step-progress",
          step: "gmi on tl-dmi, seed 1",
          id: "a",
          done: 1,
          total: 2,
          unit: "steps",
        };
        for (let at = 0; at < PROGRESS; at++) report(event);
      },
      onError: noError,
    });
    const told = performance.now();
    await queue.add(steps("tell", 1));
    while (heard < PROGRESS) await setTimeout(5);
    const progress = PROGRESS / seconds(told);
    await teller.close();
    await stop();
    await Promise.all(queues.map((own) => own.close()));
    return { added, looks, handed, progress, bytes, connections, limit: await server.limit() };
  } finally {
    await queue.close();
    await server.close();
  }
}

/** Connections that a worker holds which has done a step or two. */
async function connectionsOfWorker(queue, open, server) {
  await queue.add(steps("one", 1));
  const before = await server.connections();
  let done = 0;
  const queues = await Promise.all(Array.from({ length: WORKERS }, open));
  const working = await Promise.all(
    queues.map((own) => own.work({ process: async () => void done++, onError: noError })),
  );
  await queue.add(steps("warm", 2 * WORKERS));
  while (done < 2 * WORKERS + 1) await setTimeout(5);
  const held = (await server.connections()) - before;
  await Promise.all(working.map((worker) => worker.close()));
  await Promise.all(queues.map((own) => own.close()));
  return Math.max(1, Math.ceil(held / WORKERS));
}

const seconds = (since) => (performance.now() - since) / 1000;

function redisFacts(url) {
  const client = new Redis(url);
  const info = async (section, key) => Number(new RegExp(`^${key}:(\\d+)`, "m").exec(await client.info(section))[1]);
  return {
    bytes: () => info("memory", "used_memory"),
    connections: () => info("clients", "connected_clients"),
    limit: async () => Number((await client.config("GET", "maxclients"))[1]),
    close: () => client.quit(),
  };
}

function postgresFacts(url) {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const number = async (query) => Number((await pool.query(query)).rows[0].n);
  return {
    bytes: () => number("SELECT pg_database_size(current_database()) AS n"),
    connections: () => number("SELECT count(*) AS n FROM pg_stat_activity WHERE backend_type = 'client backend'"),
    limit: () => number("SELECT setting AS n FROM pg_settings WHERE name = 'max_connections'"),
    close: () => pool.end(),
  };
}
