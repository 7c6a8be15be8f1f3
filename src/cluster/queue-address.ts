import { UserError } from "../engine/errors.ts";

/** Where a queue's server is. */
export interface QueueAddress {
  readonly engine: "redis" | "postgres";
  readonly url: string;
  /** The address without its password, for messages. */
  readonly shown: string;
}

const ENGINES: Readonly<Record<string, QueueAddress["engine"]>> = {
  "redis:": "redis",
  "rediss:": "redis",
  "postgres:": "postgres",
  "postgresql:": "postgres",
};

/** Reads the address of a queue. @throws UserError where it is none. */
export function queueAddress(text: string): QueueAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const engine = url && ENGINES[url.protocol];
  if (url === undefined || engine === undefined || url.hostname === "") {
    // What is no address may still hold a password.
    throw new UserError(
      "--queue: expected an address such as redis://host:6379, rediss://user:password@host:6379 or postgres://user:password@host:5432/database",
    );
  }
  const shown = new URL(url);
  if (shown.password !== "") shown.password = "***";
  shown.search = "";
  return { engine, url: text, shown: shown.href };
}
