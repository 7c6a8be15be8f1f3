import { UserError } from "../engine/errors.ts";

/** A defense and an attack as results name them: by kind, and with a label where readers know them by another word. */
export interface EntryLabels {
  /** `tl-dmi`, `tl-dmi + label-smoothing` */
  readonly defense: string;
  readonly attack: string;
  /** What the study calls the defense: the entry's own name, or its kind with a number where several are alike. */
  readonly defenseLabel?: string;
  /** What the study calls the attack: the entry's own name, or its kind with a number where several are alike. */
  readonly attackLabel?: string;
}

/** What a reader calls the defense. */
export const defenseName = ({ defense, defenseLabel }: EntryLabels): string => defenseLabel ?? defense;

/** What a reader calls the attack. */
export const attackName = ({ attack, attackLabel }: EntryLabels): string => attackLabel ?? attack;

/** A cell as messages name it: `tl-dmi, gmi, seed 1`. */
export function cellInWords(cell: EntryLabels & { readonly seed: number }): string {
  return `${defenseName(cell)}, ${attackName(cell)}, seed ${cell.seed}`;
}

/** The name that an entry gives itself. */
export function ownName(entry: object): string | undefined {
  return "name" in entry && typeof entry.name === "string" ? entry.name : undefined;
}

/** An entry without its name: what it computes. */
export function withoutName<Entry extends object>(entry: Entry): Omit<Entry, "name"> {
  const { name: _, ...rest } = entry as Entry & { readonly name?: unknown };
  return rest;
}

/** Entries by their names, and where they have none by their kinds, with numbers where these repeat: kedmi, kedmi 2. */
export function labelled(entries: readonly { readonly name?: string | undefined; readonly kind: string }[]): string[] {
  return entries.map(({ name, kind }, i) => {
    if (name !== undefined) return name;
    const before = entries.slice(0, i).filter((other) => other.name === undefined && other.kind === kind).length;
    return before === 0 ? kind : `${kind} ${before + 1}`;
  });
}

/** A label as names of folders have it. */
export const inFolderName = (label: string): string => label.replaceAll(" + ", "+").replaceAll(" ", "-");

/** Labels of a list's entries. @throws UserError where two would have the same folder. */
export function distinctLabels(list: string, entries: Parameters<typeof labelled>[0]): string[] {
  const labels = labelled(entries);
  const folders = labels.map(inFolderName);
  const at = folders.findIndex((folder, i) => folders.indexOf(folder) < i);
  if (at < 0) return labels;
  const first = folders.indexOf(folders[at]!);
  throw new UserError(
    `${list}: entries ${first + 1} and ${at + 1} would both be called ${folders[at]}; give one of them another name`,
  );
}
