import { UserError } from "../errors.ts";

/** More of a message is the file's own text. */
const LONGEST = 600;

/** Text of a file that may be shown: names in it could hold line breaks and what terminals take for commands. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029\ufffd]/gu, "?");
}

/** What is wrong with a file, in one line of bearable length, whatever its names are. */
export function refusal(message: string): UserError {
  const text = printable(message);
  return new UserError(text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text);
}
