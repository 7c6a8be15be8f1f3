import { parentPort } from "node:worker_threads";
import { createArtist } from "./draw.ts";
import { drawOrder, type Order } from "./studio.ts";

/** The body of a drawing thread: each message is an order, each answer its images. */
const artist = createArtist();
parentPort?.on("message", (order: Order) => {
  const bytes = drawOrder(artist, order);
  parentPort?.postMessage(bytes, [bytes.buffer]);
});
