import { parseDocument } from "yaml";

/** Paths of the keys in which two study files differ: `data.size`. Not their names, which follow from other keys; none of what is no map. */
export function differingKeys(one: string, other: string): readonly string[] {
  const [a, b] = [one, other].map((text): unknown => parseDocument(text).toJS());
  return isMap(a) && isMap(b) ? pathsWithin(a, b).filter((path) => path !== "name") : [];
}

type Keys = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Keys => typeof value === "object" && value !== null && !Array.isArray(value);

function pathsWithin(a: Keys, b: Keys): readonly string[] {
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => {
    const [held, wanted] = [a[key], b[key]];
    if (isMap(held) && isMap(wanted)) return pathsWithin(held, wanted).map((path) => `${key}.${path}`);
    return JSON.stringify(held) === JSON.stringify(wanted) ? [] : [key];
  });
}
