import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../engine/errors.ts";

/** Files of a pack. */
export const PAGE_FILE = "index.html";
export const KEY_FILE = "key.json";

/** What a participant chose: the image on the left or that on the right. */
export const Side = z.enum(["A", "B"]);
export type Side = z.output<typeof Side>;

const Question = z.object({
  /** Its number on the page, from 1. */
  question: z.int().min(1),
  identity: z.string(),
  label: z.int().min(0),
  /** Which reconstruction of the identity both images are. */
  reconstruction: z.int().min(0),
  /** The side on which the first condition's image stands. */
  first: Side,
});

/** What the page does not say: which image comes from which model. */
export const Key = z.object({
  schemaVersion: z.literal(1),
  /** Names the pack in participants' answers; it follows from everything else here. */
  pack: z.string(),
  study: z.string(),
  attack: z.string(),
  /** The study's seed that the images are of. */
  seed: z.number(),
  /** The two conditions, as a report names them. */
  conditions: z.tuple([z.string(), z.string()]),
  questions: z.array(Question).nonempty(),
});
export type Key = z.output<typeof Key>;

/** One participant's answers, as the page saves them. */
export const Answers = z.object({
  schemaVersion: z.literal(1),
  pack: z.string(),
  participant: z.string(),
  answers: z.array(z.object({ question: z.int().min(1), choice: Side, seconds: z.number().min(0) })),
});
export type Answers = z.output<typeof Answers>;

/** The key with the name that follows from it. */
export function namedKey(key: Omit<Key, "pack">): Key {
  const pack = createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 12);
  return { ...key, pack };
}

/** Reads JSON of a form. @throws UserError that names the file and what is wrong with it. */
async function readAs<T>(schema: z.ZodType<T>, path: string, what: string): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new UserError(`${path}: expected ${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new UserError(`${path}: expected ${what}; ${issue?.path.join(".") || "the file"}: ${issue?.message}`);
}

/** The key of a pack. @throws UserError where the folder has none. */
export function readKey(packDir: string): Promise<Key> {
  return readAs(Key, join(packDir, KEY_FILE), "the key of a pack that `tldmi user-study make` wrote");
}

/**
 * Answers to a pack, one file a participant.
 * @throws UserError for a file of another form or another pack, a question that the pack lacks or that is answered twice, and a
 * participant who comes twice.
 */
export async function readAnswers(key: Key, files: readonly string[]): Promise<Answers[]> {
  const asked = new Set(key.questions.map(({ question }) => question));
  const seen = new Map<string, string>();
  const all: Answers[] = [];
  for (const file of files) {
    const answers = await readAs(Answers, file, "answers that the page of a pack saved");
    if (answers.pack !== key.pack) {
      throw new UserError(`${file}: answers to pack ${answers.pack}, expected ${key.pack}`);
    }
    const before = seen.get(answers.participant);
    if (before !== undefined) {
      throw new UserError(`${file}: participant "${answers.participant}" has answered in ${before} already`);
    }
    seen.set(answers.participant, file);
    const answered = new Set<number>();
    for (const { question } of answers.answers) {
      if (!asked.has(question)) throw new UserError(`${file}: question ${question} is not in the pack`);
      if (answered.has(question)) throw new UserError(`${file}: question ${question} is answered twice`);
      answered.add(question);
    }
    all.push(answers);
  }
  return all;
}
