/** What was put in and nobody has taken yet. */
export interface Inbox<T> {
  put(item: T): void;
  /** Everything in it. Where that is nothing, waits until something is put in, so many milliseconds are over or the signal is aborted. */
  take(milliseconds: number): Promise<T[]>;
}

/** An empty inbox, for one who takes. */
export function openInbox<T>(signal: AbortSignal): Inbox<T> {
  const items: T[] = [];
  let wake = () => {};
  signal.addEventListener("abort", () => wake(), { once: true });
  return {
    put(item) {
      items.push(item);
      wake();
    },
    async take(milliseconds) {
      if (items.length === 0 && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      return items.splice(0);
    },
  };
}
