import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENGINES, isInstalled, type QueueServer, startServer } from "../../test/support/queue-servers.ts";
import { UserError } from "../engine/errors.ts";
import { openBullmqQueue } from "./bullmq-queue.ts";
import { PutBack, type QueuedStep, type QueueEvent, type StepQueue } from "./queue.ts";
import { queueAddress } from "./queue-address.ts";

const step = (id: string, priority = 5): QueuedStep => ({ id, name: `step ${id}`, grid: "g", priority });

/** Waits until `holds`, and fails after some minutes. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 2400) throw new Error("it never came");
    await setTimeout(50);
  }
}

describe.each(ENGINES)("a queue on %s", (engine) => {
  // `apt-get install redis-server postgresql` brings them.
  describe.skipIf(!isInstalled(engine))(isInstalled(engine) ? "that is installed" : "(not installed here)", () => {
    let server: QueueServer;
    let count = 0;
    const opened: StepQueue[] = [];
    const open = async (name: string, lease = 30) => {
      const queue = await openBullmqQueue({ address: queueAddress(server.url), name, lease, backOff: 1000 });
      opened.push(queue);
      return queue;
    };
    const fresh = () => `test-${++count}`;

    beforeAll(async () => {
      server = await startServer(engine);
    });
    afterAll(async () => {
      for (const queue of opened) await queue.close();
      await server?.remove();
    });

    test("hands out each step once, lower numbers first, and tells of what happens", async () => {
      const name = fresh();
      const queue = await open(name);
      const heard: QueueEvent[] = [];
      const stop = await queue.watch((event) => heard.push(event));
      await queue.add([step("b", 7), step("a", 3), step("c", 9)]);
      await queue.add([step("a", 1), step("b", 1)]);
      expect(await queue.counts()).toEqual({ running: 0, waiting: 3, workers: 0 });
      expect(await queue.look("a")).toEqual({ state: "waiting" });
      const done: QueuedStep[] = [];
      const working = await (await open(name)).work({
        async process(queued, report) {
          report({ type: "warning", message: `at ${queued.id}` });
          done.push(queued);
        },
        onError: () => {},
      });
      await until(() => heard.filter(({ type }) => type === "done").length === 3);
      expect(done.map(({ id }) => id)).toEqual(["a", "b", "c"]);
      expect(done[0]).toEqual(step("a", 3));
      expect(heard).toContainEqual({ type: "progress", id: "b", event: { type: "warning", message: "at b" } });
      expect(await queue.look("a")).toEqual({ state: "absent" });
      expect(await queue.counts()).toEqual({ running: 0, waiting: 0, workers: 1 });
      await working.close();
      await stop();
    });

    test("takes back a step that a worker puts back, and gives it to another", async () => {
      const name = fresh();
      const queue = await open(name);
      await queue.add([step("a")]);
      let tries = 0;
      const working = await queue.work({
        async process() {
          if (++tries < 5) throw new PutBack();
        },
        onError: () => {},
      });
      await until(async () => (await queue.look("a")).state === "absent");
      expect(tries).toBe(5);
      await working.close();
    });

    test("does not try again what cannot succeed, keeps why, and takes it anew once it is removed", async () => {
      const name = fresh();
      const queue = await open(name);
      const heard: QueueEvent[] = [];
      const stop = await queue.watch((event) => heard.push(event));
      let fails = true;
      let tries = 0;
      const working = await queue.work({
        async process() {
          tries++;
          if (fails) throw new UserError("the loss is NaN");
        },
        onError: () => {},
      });
      await queue.add([step("a")]);
      await until(() => heard.some(({ type, id }) => type === "failed" && id === "a"));
      expect(await queue.look("a")).toEqual({ state: "failed", message: "the loss is NaN" });
      expect(tries).toBe(1);
      fails = false;
      await queue.add([step("a")]);
      expect(await queue.look("a")).toMatchObject({ state: "failed" });
      await queue.remove("a");
      await queue.add([step("a")]);
      await until(() => heard.some(({ type, id }) => type === "done" && id === "a"));
      await working.close();
      await stop();
    });

    test("tries again, later, what failed for no known reason", async () => {
      const queue = await open(fresh());
      const at: number[] = [];
      const working = await queue.work({
        async process() {
          at.push(performance.now());
          if (at.length === 1) throw new Error("connection reset");
        },
        onError: () => {},
      });
      await queue.add([step("a")]);
      await until(async () => (await queue.look("a")).state === "absent");
      expect(at).toHaveLength(2);
      expect(at[1]! - at[0]!).toBeGreaterThan(900);
      await working.close();
    });

    test("is still there for workers and watchers when its server comes back", async () => {
      const name = fresh();
      const queue = await open(name);
      const heard: string[] = [];
      const stop = await queue.watch(({ type, id }) => heard.push(`${type} ${id}`));
      const working = await (await open(name)).work({ process: async () => {}, onError: () => {} });
      await queue.add([step("a")]);
      await until(() => heard.includes("done a"));
      await server.kill();
      await setTimeout(300);
      await server.start();
      await until(async () => {
        await queue.add([step("b")]).catch(() => undefined);
        return heard.includes("done b");
      });
      await working.close();
      await stop();
    });
  });

  test("that nobody serves is said so, with the address and without its password", async () => {
    const address = queueAddress(`${engine}://me:secret@127.0.0.1:1/0`);
    const refused = await openBullmqQueue({ address, name: "x", lease: 30, patience: 1500 }).catch(
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(UserError);
    expect(String(refused)).toMatch(/127\.0\.0\.1:1\/0: .*ECONNREFUSED/);
    expect(String(refused)).not.toContain("secret");
  });
});

test.each(["redis", "localhost:6379", "mysql://db/x", "redis://", "//host:1"])(
  "%s is no address of a queue",
  (text) => {
    expect(() => queueAddress(text)).toThrow("expected an address such as redis://host:6379");
  },
);
