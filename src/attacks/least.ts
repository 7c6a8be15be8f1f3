/** Numbers of an attack's settings with what each must be at least, by key, in groups as the settings have them. */
export interface Leasts {
  readonly [key: string]: number | Leasts;
}

/** A number of an attack's settings that is less than it must be. */
export interface TooSmall {
  readonly path: readonly string[];
  readonly value: number;
  readonly least: number;
}

/** What of some settings is less than it must be. Numbers that are left out are not, nor is a 0, which says: none at all. */
export function tooSmall(settings: object, leasts: Leasts, at: readonly string[] = []): TooSmall[] {
  return Object.entries(leasts).flatMap(([key, least]): TooSmall[] => {
    const value = (settings as Readonly<Record<string, unknown>>)[key];
    const path = [...at, key];
    if (typeof least === "object")
      return typeof value === "object" && value !== null ? tooSmall(value, least, path) : [];
    return typeof value === "number" && value > 0 && value < least ? [{ path, value, least }] : [];
  });
}
