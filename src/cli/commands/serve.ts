import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { Cli, Program } from "../globals.ts";
import { interruptible } from "../interrupt.ts";
import { printJson } from "../json.ts";

/** Where the token is taken from: not the command line, which every user of the machine can read. */
const TOKEN = "TLDMI_TOKEN";

/** `tldmi serve`: a page over the runs folder, for this machine alone unless it is told otherwise. */
export function addServe(program: Program, cli: Cli): void {
  program
    .command("serve")
    .description("serve a page over the runs folder: watch, compare, start and stop studies")
    .option("--port <n>", "port to listen on; 0 for any free one", portNumber, 4173)
    .option(
      "--host <address>",
      `address to listen on; any but this machine's own asks for a token, printed here or taken from ${TOKEN}`,
      "127.0.0.1",
    )
    .option(
      "--name <host>",
      "further host name (with its port) that it is called by, as behind a proxy; asks for a token",
      collect,
      [],
    )
    .action(async ({ port, host, name: names }, command) => {
      const { json, runs: runsDir } = command.optsWithGlobals();
      const { io, modules } = cli;
      const given = io.env[TOKEN];
      const { serve } = await modules.server();
      const served = await serve({ runsDir, host, port, names, ...(given !== undefined && { token: given }) });
      const made = given === undefined ? served.token : undefined;
      if (json) printJson(io.stdout, { url: served.url, ...(made !== undefined && { token: made }) });
      else {
        io.stdout.write(`${served.url}\n`);
        if (made !== undefined) io.stdout.write(`token: ${made}\n`);
      }
      if (served.token !== undefined)
        io.stderr.write("the connection is not encrypted: put a proxy with TLS or an SSH tunnel before it\n");
      io.stderr.write("Ctrl-C ends it, and stops the studies that it started so that they can be resumed\n");
      await ended(cli);
      await served.close();
    });
}

/** Waits for Ctrl-C or a request to end. */
async function ended({ io }: Cli): Promise<void> {
  await interruptible(
    io,
    (signal) => new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true })),
    "stopping: waiting for studies to save a checkpoint; once more to leave at once",
  );
}

function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError("expected a whole number from 0 to 65535.");
  return port;
}

function collect(name: string, names: readonly string[]): readonly string[] {
  return [...names, name];
}
