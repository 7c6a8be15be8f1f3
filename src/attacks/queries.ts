import type { Work } from "../engine/work.ts";

/** What an attack asked of its target. */
export interface Queries {
  /** Images that went through the target, each time that they did. */
  readonly images: number;
  /** How many of these went back through it as gradients; 0 without white-box access. */
  readonly gradients: number;
}

/** Counts an attack's queries. */
export interface QueryMeter {
  add(images: number, gradients?: number): void;
  count(): Queries;
  /** Goes on from a count, in place of its own. */
  set(queries: Queries): void;
}

/** A meter at zero. */
export function queryMeter(): QueryMeter {
  let [images, gradients] = [0, 0];
  return {
    add(more, back = 0) {
      images += more;
      gradients += back;
    },
    count: () => ({ images, gradients }),
    set(queries) {
      ({ images, gradients } = queries);
    },
  };
}

/** Two 64-bit floats in front of a checkpoint: whole numbers to 2⁵³. */
const HEADER = 16;

/**
 * Work whose checkpoints carry the meter's count, so that a resumed attack ends with the queries of an unbroken one: what it asks
 * again before it finds its checkpoint does not count twice.
 */
export function meteredWork(work: Work, meter: QueryMeter): Work {
  return {
    signal: work.signal,
    progress: (at) => work.progress(at),
    ...(work.rehearsal && { rehearsal: { ...work.rehearsal, asked: () => meter.count().images } }),
    log: (row) => work.log(row),
    saveCheckpoint(name, bytes) {
      const { images, gradients } = meter.count();
      const out = new Uint8Array(HEADER + bytes.length);
      const header = new DataView(out.buffer, 0, HEADER);
      header.setFloat64(0, images, true);
      header.setFloat64(8, gradients, true);
      out.set(bytes, HEADER);
      return work.saveCheckpoint(name, out);
    },
    async loadCheckpoint(name) {
      const bytes = await work.loadCheckpoint(name);
      if (bytes === undefined) return undefined;
      const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER);
      meter.set({ images: header.getFloat64(0, true), gradients: header.getFloat64(8, true) });
      return bytes.slice(HEADER);
    },
  };
}
