import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type Artist, createArtist, type Recipe } from "./draw.ts";

/** One image's class and its number in the class. */
export interface Place {
  readonly label: number;
  readonly k: number;
}

/** A request to a drawing thread; the answer is the images' bytes, transferred. */
export interface Order {
  readonly recipe: Recipe;
  readonly places: readonly Place[];
}

const chunk = 64;
/** Below this many images, starting threads takes longer than they save. */
const threadsFrom = 600;

/** This thread's own, made when it first draws. */
let here: Artist | undefined;

/**
 * Draws images and hands them on in order, a chunk at a time. Compiled code draws large numbers on two threads; TypeScript run as it is
 * (tests) draws on the caller's, since older Nodes cannot start a thread from a `.ts` file.
 * @param take is given the number of the chunk's first image and the chunk's bytes
 */
export async function drawInOrder(
  recipe: Recipe,
  places: readonly Place[],
  take: (first: number, bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const compiled = import.meta.url.endsWith(".js");
  const threads = compiled && places.length >= threadsFrom ? Math.min(2, availableParallelism()) : 0;
  const workers = Array.from({ length: threads }, () => new Worker(new URL("./studio-thread.js", import.meta.url)));
  const ahead: Promise<Uint8Array>[] = [];
  try {
    const ask = (first: number) => {
      if (first >= places.length) return;
      const order = { recipe, places: places.slice(first, first + chunk) };
      const worker = workers[(first / chunk) % Math.max(1, threads)];
      ahead.push(worker === undefined ? drawHere(order) : drawThere(worker, order));
    };
    for (let i = 0; i < threads; i++) ask(i * chunk);
    for (let first = 0; first < places.length; first += chunk) {
      if (threads === 0) ask(first);
      const bytes = await ahead.shift()!;
      if (threads > 0) ask(first + threads * chunk);
      await take(first, bytes);
    }
  } finally {
    // When one chunk has failed, the others' promises fail with their threads and nobody waits for them.
    for (const promise of ahead) promise.catch(() => undefined);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** Draws an order on this thread. */
export function drawOrder(artist: Artist, { recipe, places }: Order): Uint8Array<ArrayBuffer> {
  const imageBytes = 3 * recipe.size * recipe.size;
  const bytes = new Uint8Array(places.length * imageBytes);
  places.forEach(({ label, k }, i) => {
    artist.draw(recipe, label, k, bytes, i * imageBytes);
  });
  return bytes;
}

async function drawHere(order: Order): Promise<Uint8Array> {
  // Lets timers and signals through between chunks.
  await new Promise((resolve) => setImmediate(resolve));
  here ??= createArtist();
  return drawOrder(here, order);
}

function drawThere(worker: Worker, order: Order): Promise<Uint8Array> {
  const answer = new Promise<Uint8Array>((resolve, reject) => {
    const done = (settle: () => void) => {
      worker.off("message", onMessage);
      worker.off("error", onError);
      worker.off("exit", onExit);
      settle();
    };
    const onMessage = (bytes: Uint8Array) => done(() => resolve(bytes));
    const onError = (error: Error) => done(() => reject(error));
    const onExit = () => done(() => reject(new Error("a drawing thread ended early")));
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.on("exit", onExit);
  });
  worker.postMessage(order);
  return answer;
}
