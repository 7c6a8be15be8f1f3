import type { Writable } from "node:stream";
import { EXIT } from "./errors.ts";

/**
 * Leaves a process when all that was written to `stdout` is out. A reader that closed its end, as `head` does, has had all it wanted: the
 * command comes to its end all the same, and what it found decides the code, so that no failed gate passes for want of a reader. Another
 * error of `stdout` leaves at once.
 * @param exit ends the process
 * @returns leaves with a code.
 */
export function leavingAfter(stdout: Writable, exit: (code: number) => void): (code: number) => void {
  let isClosed = false;
  stdout.on("error", (error) => {
    isClosed = true;
    if (!isReaderGone(error)) exit(EXIT.bug);
  });
  return (code) => {
    if (isClosed) exit(code);
    // Called when what was written before is out, or cannot be.
    else stdout.write("", (error) => exit(error && !isReaderGone(error) ? EXIT.bug : code));
  };
}

/** Whether nobody reads any more; once that is so, a stream may say that it was ended. */
function isReaderGone(error: Error): boolean {
  return "code" in error && (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED");
}
