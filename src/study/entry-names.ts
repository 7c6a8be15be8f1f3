import { z } from "zod";
import { ownName } from "./entry-labels.ts";

/** The key `name` of an entry of `defenses` or `attacks`: it says what the entry is called and changes nothing that is computed. */
export const EntryName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]*$/, "expected a name of letters, digits, dots, hyphens and underscores")
  .optional()
  .describe("what tables, plots and folders call this entry; by its kind where it is left out");

/** Refuses names that do not tell entries apart: one that another entry has too, or that is the kind of another member. */
export function checkNames(kinds: readonly string[]): (list: z.core.ParsePayload<readonly object[]>) => void {
  return ({ value, issues }) => {
    const names = value.map(ownName);
    for (const [at, name] of names.entries()) {
      if (name === undefined) continue;
      const first = names.indexOf(name);
      const refuse = (message: string) => issues.push({ code: "custom", input: name, path: [at, "name"], message });
      const { kind } = value[at] as { readonly kind?: unknown };
      if (first < at) refuse(`"${name}" is the name of entry ${first + 1} already; choose another`);
      else if (kinds.includes(name) && name !== kind)
        refuse(`"${name}" is a kind of its own, and this entry is of kind ${kind}; choose another name`);
    }
  };
}
