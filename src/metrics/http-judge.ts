import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { UserError } from "../engine/errors.ts";

const LOCAL = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A judge that answers over HTTP: a person's page, a face matcher, a multimodal model behind an adapter. */
export const HttpJudgeSettings = z
  .strictObject({
    name: z.string().min(1).describe("what the report calls it; answers are kept, so change it with what answers"),
    endpoint: z.url({ protocol: /^https?$/, error: "expected an http or https URL" }).describe("gets every question"),
    references: z
      .int()
      .min(1)
      .max(16)
      .default(4)
      .describe("private images of the attacked identity that each reconstruction is compared with"),
    sendPrivateImages: z
      .boolean()
      .default(false)
      .describe("has to be true for an endpoint on another machine, as private images are sent to it"),
    parallel: z.int().min(1).max(64).default(4).describe("questions under way at a time"),
    timeout: z.number().positive().default(60).describe("seconds to wait for an answer"),
    retries: z.int().min(0).default(3).describe("further tries where there is no answer, or status 408, 429 or 5xx"),
    tokenVariable: z
      .string()
      .regex(/^[A-Za-z_]\w*$/, "expected the name of an environment variable")
      .optional()
      .describe("environment variable whose value is sent as a bearer token"),
  })
  .check(({ value, issues }) => {
    // What is no URL is said by the key's own rule.
    const host = URL.canParse(value.endpoint) ? new URL(value.endpoint).hostname : undefined;
    if (value.sendPrivateImages || host === undefined || LOCAL.has(host)) return;
    issues.push({
      code: "custom",
      input: value.endpoint,
      path: ["endpoint"],
      message: `private images would be sent to another machine (${host}); set sendPrivateImages: true if they may be`,
    });
  });
export type HttpJudgeSettings = z.output<typeof HttpJudgeSettings>;

/** Whether the image shows the same individual as the references. Images are PNG files. */
export interface SameIdentityQuestion {
  readonly image: Uint8Array;
  readonly references: readonly Uint8Array[];
}

/** The body of a request: `POST` with JSON. */
export interface JudgeRequest {
  readonly schemaVersion: 1;
  readonly question: string;
  /** `data:image/png;base64,…` */
  readonly image: string;
  readonly references: readonly string[];
}

const QUESTION = "Does the image show the same individual as the references?";

/** The body of an answer with status 200; null where the judge does not want to say. Other keys are passed over. */
const JudgeAnswer = z.object({ same: z.boolean().nullable() });

const dataUri = (png: Uint8Array) => `data:image/png;base64,${Buffer.from(png).toString("base64")}`;

/** The first wait before a question is asked again, in seconds; it doubles with each. */
const FIRST_WAIT = 0.5;

/** A judge that can be asked. */
export type HttpJudge = (question: SameIdentityQuestion, signal: AbortSignal) => Promise<boolean | null>;

/**
 * Opens a judge. What it is asked and answers: `JudgeRequest`, `{ "same": true | false | null }`.
 * @throws UserError where the token's environment variable is not set. The judge itself throws a UserError that names the endpoint for a
 * refused or lost connection, another status than 200, or an answer of another form; and the signal's reason when it is aborted.
 */
export function httpJudge(
  settings: HttpJudgeSettings,
  env: Readonly<Record<string, string | undefined>> = process.env,
  firstWait = FIRST_WAIT,
): HttpJudge {
  const { name, endpoint, timeout, retries, tokenVariable } = settings;
  const token = tokenVariable === undefined ? undefined : env[tokenVariable];
  if (tokenVariable !== undefined && (token ?? "") === "") {
    throw new UserError(`httpJudge.tokenVariable: the environment variable ${tokenVariable} is not set`);
  }
  const headers = {
    "content-type": "application/json",
    accept: "application/json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const fail = (what: string) => new UserError(`judge ${name} at ${endpoint}: ${what}`, 4);

  /** The answer's text, or what kept it from coming and may pass. */
  async function attempt(body: string, signal: AbortSignal): Promise<{ text: string } | { trouble: string }> {
    let response: Response;
    let text: string;
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout * 1000)]);
      response = await fetch(endpoint, { method: "POST", headers, body, signal: limit, redirect: "error" });
      text = await response.text();
    } catch (error) {
      signal.throwIfAborted();
      return { trouble: reasonOf(error, timeout) };
    }
    if (response.ok) return { text };
    const said = `status ${response.status}${text === "" ? "" : `, ${excerpt(text)}`}`;
    if (response.status === 408 || response.status === 429 || response.status >= 500) return { trouble: said };
    throw fail(said);
  }

  return async ({ image, references }, signal) => {
    const request: JudgeRequest = {
      schemaVersion: 1,
      question: QUESTION,
      image: dataUri(image),
      references: references.map(dataUri),
    };
    const body = JSON.stringify(request);
    for (let tries = 1; ; tries++) {
      const found = await attempt(body, signal);
      if ("text" in found) return answerOf(found.text, fail);
      if (tries > retries) throw fail(`${found.trouble} (${tries} ${tries === 1 ? "try" : "tries"})`);
      await sleep(firstWait * 2 ** (tries - 1) * 1000, undefined, { signal });
    }
  };
}

function answerOf(text: string, fail: (what: string) => UserError): boolean | null {
  const expected = 'expected {"same": true}, false or null';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail(`${expected}, got what is no JSON: ${excerpt(text)}`);
  }
  const parsed = JudgeAnswer.safeParse(value);
  if (!parsed.success) throw fail(`${expected}, got ${excerpt(text)}`);
  return parsed.data.same;
}

const excerpt = (text: string) => JSON.stringify(text.length > 120 ? `${text.slice(0, 119)}…` : text);

function reasonOf(error: unknown, timeout: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${timeout} s`;
  return error.cause instanceof Error ? error.cause.message || String(error.cause) : error.message;
}
