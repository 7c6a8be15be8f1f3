import { topologicalOrder, type Value } from "../engine/graph.ts";
import type { Handles, WhiteBox } from "./access.ts";

/** Who looks at the images that an attack shows its target on its way. */
export interface Trail {
  /** Looks at every so many-th run of a program, from the first one on: iterations, counted on from one batch of rows to the next. */
  readonly every: number;
  /** @param images [n, C, H, W], the caller's to keep  @param labels the n classes that they are meant for */
  seen(images: Float32Array, labels: Int32Array): Promise<void>;
}

/**
 * The same handle, whose programs tell a trail of the images that they put through the target. The attack notices nothing, and its
 * queries count as before. Programs that are not fed classes as `labels`, as `runSearch` feeds them, are left alone (a final
 * selection's), and so are handles that only answer.
 */
export function withTrail<Handle extends Handles[keyof Handles]>(target: Handle, trail: Trail): Handle | WhiteBox {
  return "judge" in target ? watched(target, trail) : target;
}

function watched(target: WhiteBox, { every, seen }: Trail): WhiteBox {
  // Weak, as what the handle itself remembers: graphs come and go while it is held.
  const shown = new WeakSet<Value>();
  const judge = (images: Value, copies?: number) => {
    shown.add(images);
    return target.judge(images, copies);
  };
  return Object.freeze({
    ...target,
    judge,
    logits: (images: Value) => judge(images).logits,
    cut(boundary: string | null) {
      const { prefix, tail } = target.cut(boundary);
      return {
        prefix(images: Value) {
          shown.add(images);
          return prefix(images);
        },
        tail,
      };
    },
    async compile(options: Parameters<WhiteBox["compile"]>[0]) {
      const order = topologicalOrder([...Object.values(options.outputs), ...Object.values(options.updates ?? {})]);
      const images = order.find((v) => shown.has(v));
      if (images === undefined) return target.compile(options);
      const program = await target.compile({ ...options, outputs: { ...options.outputs, [SHOWN]: images } });
      let runs = 0;
      return {
        release: () => program.release(),
        async run(feeds: Parameters<typeof program.run>[0], rows = images.shape[0]!) {
          const { [SHOWN]: passed, ...found } = await program.run(feeds, rows);
          const { labels } = feeds;
          if (labels !== undefined && runs++ % every === 0) {
            const data = passed!.data as Float32Array;
            const length = data.length / images.shape[0]!;
            await seen(data.slice(0, rows * length), Int32Array.from(labels.subarray(0, rows)));
          }
          return found;
        },
      };
    },
  });
}

/** A name that no attack gives a result. */
const SHOWN = "trail/images";
