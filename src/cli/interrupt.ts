import { EXIT } from "./errors.ts";
import type { CliIo } from "./io.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Does `work` so that the first Ctrl-C (or SIGTERM) aborts its signal, for it to save and stop, and the second leaves at once.
 * The handlers are gone when it is over.
 * @param notice what the first one prints
 */
export async function interruptible<T>(
  io: CliIo,
  work: (signal: AbortSignal) => Promise<T>,
  notice = "stopping: saving a checkpoint first; once more to leave at once",
): Promise<T> {
  const abort = new AbortController();
  const onSignal = () => {
    if (abort.signal.aborted) {
      io.exitNow(EXIT.interrupted);
      return;
    }
    io.stderr.write(`\n${notice}\n`);
    abort.abort();
  };
  for (const name of SIGNALS) io.signals.on(name, onSignal);
  try {
    return await work(abort.signal);
  } finally {
    for (const name of SIGNALS) io.signals.off(name, onSignal);
  }
}
