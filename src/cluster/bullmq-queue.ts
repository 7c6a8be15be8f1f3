import {
  type BackendFactory,
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  type Job,
  Queue,
  QueueEvents,
  UnrecoverableError,
  WaitingError,
  Worker,
} from "bullmq";
import { UserError } from "../engine/errors.ts";
import type { StudyEvent } from "../study/events.ts";
import { PutBack, type QueuedState, type QueuedStep, type StepQueue } from "./queue.ts";
import type { QueueAddress } from "./queue-address.ts";

/** How often a step that fails for no known reason is begun. */
const ATTEMPTS = 3;
/** How often the worker of one step may fall silent: machines that are taken away at any time take a long step several times. */
const SILENCES = 20;
/** Seconds for which failed steps are kept. */
const KEEP_FAILED = 14 * 24 * 3600;

type StepData = Pick<QueuedStep, "grid">;

export interface BullmqOptions {
  readonly address: QueueAddress;
  /** Tells queues of one server apart. Letters, digits and hyphens. */
  readonly name: string;
  /** Seconds without a sign of life after which a worker has lost its step to another. */
  readonly lease: number;
  /** Milliseconds before a failed step is begun for the second time; they double. */
  readonly backOff?: number;
  /** Milliseconds in which the server must answer at the start. */
  readonly patience?: number;
}

/**
 * A queue by BullMQ, on Redis (Valkey) or PostgreSQL. Its tables or keys are made where they are missing.
 * @throws UserError where the server doesn't answer.
 */
export async function openBullmqQueue(options: BullmqOptions): Promise<StepQueue> {
  const { address, name, lease, backOff = 5000, patience = 10_000 } = options;
  const { connection, backend } = engineOf(address);
  const queue = new Queue<StepData, void, string, StepData, void, string, IQueueBackend, unknown>(
    name,
    { connection },
    backend,
  );
  let lastError = "";
  queue.on("error", (error) => {
    lastError = reasonOf(error);
  });
  await answered(queue.waitUntilReady(), patience, () => lastError).catch(async (error: unknown) => {
    await Promise.race([queue.close(), pause(1000)]);
    throw new UserError(`${address.shown}: ${reasonOf(error)}`);
  });

  return {
    async add(steps) {
      await queue.addBulk(
        steps.map(({ id, name: step, grid, priority }) => ({
          name: step,
          data: { grid },
          opts: {
            jobId: id,
            priority,
            attempts: ATTEMPTS,
            backoff: { type: "exponential", delay: backOff },
            removeOnComplete: true,
            removeOnFail: { age: KEEP_FAILED },
            stackTraceLimit: 0,
          },
        })),
      );
    },
    async look(id): Promise<QueuedState> {
      const job = await queue.getJob(id);
      const state = await job?.getState();
      if (job === undefined || state === undefined || state === "unknown" || state === "completed") {
        return { state: "absent" };
      }
      if (state === "failed") return { state, message: job.failedReason };
      return { state: state === "active" ? "active" : "waiting" };
    },
    async remove(id) {
      // It throws where a worker is at the job.
      await queue.remove(id).catch(() => undefined);
    },
    async counts() {
      const counts = await queue.getJobCounts("active", "waiting", "prioritized", "delayed");
      const { active = 0, waiting = 0, prioritized = 0, delayed = 0 } = counts;
      const workers = await queue.getWorkersCount();
      return { running: active, waiting: waiting + prioritized + delayed, workers };
    },
    async watch(listener) {
      const heard = new QueueEvents<void, IQueueBackend, unknown>(name, { connection }, backend);
      heard.on("error", () => {});
      heard.on("completed", ({ jobId: id }) => listener({ type: "done", id }));
      heard.on("failed", ({ jobId: id }) => listener({ type: "failed", id }));
      heard.on("stalled", ({ jobId: id }) => listener({ type: "silent", id }));
      // Workers are the only ones who write progress, and they write events.
      heard.on("progress", ({ jobId: id, data }) =>
        listener({ type: "progress", id, event: data as unknown as StudyEvent }),
      );
      await heard.waitUntilReady();
      return () => heard.close();
    },
    async work({ process, onError }) {
      const worker = new Worker<StepData, void, string, IQueueBackend, object, unknown>(
        name,
        async (job, token) => {
          const report = reporter(job, onError);
          try {
            await process({ id: job.id!, name: job.name, grid: job.data.grid, priority: job.priority }, report.tell);
          } catch (error) {
            if (error instanceof PutBack) {
              await job.moveToWait(token);
              throw new WaitingError();
            }
            throw error instanceof UserError ? new UnrecoverableError(error.message) : error;
          } finally {
            await report.told();
          }
        },
        {
          connection,
          concurrency: 1,
          lockDuration: lease * 1000,
          stalledInterval: lease * 1000,
          maxStalledCount: SILENCES,
        },
        backend,
      );
      worker.on("error", (error) => onError(reasonOf(error)));
      await worker.waitUntilReady();
      return { close: () => worker.close() };
    },
    close: () => queue.close(),
  };
}

/** The connection and the backend of each engine. */
function engineOf({ engine, url }: QueueAddress): {
  readonly connection: unknown;
  readonly backend: BackendFactory<IQueueBackend, unknown>;
} {
  if (engine === "redis") {
    // Without a limit of retries, a server that comes back is used again.
    const connection = { url, maxRetriesPerRequest: null };
    return { connection, backend: createRedisBackend as BackendFactory<IQueueBackend, unknown> };
  }
  const connection = { connectionString: url, migrate: true };
  return { connection, backend: createPostgresBackend as BackendFactory<IQueueBackend, unknown> };
}

/** Writes events as a job's progress, one after the other; those that cannot be written are lost, since they only inform. */
function reporter(job: Job<StepData, void>, onError: (message: string) => void) {
  let queue: Promise<void> = Promise.resolve();
  return {
    tell: (event: StudyEvent) => {
      queue = queue.then(() => job.updateProgress(event).catch((error: unknown) => onError(reasonOf(error))));
    },
    told: () => queue,
  };
}

/** @throws Error with the reason where `ready` takes too long. */
async function answered(ready: Promise<unknown>, patience: number, reason: () => string): Promise<void> {
  const late = pause(patience).then(() => {
    throw new Error(reason() || `no answer within ${patience / 1000} seconds`);
  });
  await Promise.race([ready, late]);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}

/** Several addresses of one host fail with several errors and no message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error && error.message !== "" ? error.message : String(error);
}
