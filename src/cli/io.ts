import pc from "picocolors";

/** A stream that text goes to, with what a terminal knows of itself. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Who hears of Ctrl-C and of requests to end: the process, or a test's stand-in. */
export interface SignalSource {
  on(name: string, listener: () => void): unknown;
  off(name: string, listener: () => void): unknown;
}

/** Everything that the command line touches of the world around it. Results go to `stdout`, all else to `stderr`. */
export interface CliIo {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signals: SignalSource;
  /** Leaves at once, whatever is under way. */
  exitNow(code: number): void;
}

/** Functions that colour text, or leave it as it is. */
export type Colors = ReturnType<typeof pc.createColors>;

/** Colours for a stream: on a terminal only, and not where `--no-color` or `NO_COLOR` says so. */
export function colorsFor(stream: TextStream, color: boolean, env: CliIo["env"]): Colors {
  const refused = !color || (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb";
  return pc.createColors(!refused && stream.isTTY === true);
}
