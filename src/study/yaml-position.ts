import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair } from "yaml";

/** A place in a text file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Finds where in a YAML document a path of keys and indices stands. */
export interface Positions {
  /** The value at `path`; where it is missing, the innermost value around it that is there. */
  value(path: readonly PropertyKey[]): Position;
  /** The key `key` of the mapping at `path`. */
  key(path: readonly PropertyKey[], key: string): Position;
}

/** The positions in a parsed document; `lines` is the counter that it was parsed with. */
export function positionsOf(document: Document, lines: LineCounter): Positions {
  const at = (offset: number | undefined): Position => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  return {
    value: (path) => at(innermost(document, path).range?.[0]),
    key(path, key) {
      const parent = innermost(document, path);
      const pair = pairOf(parent, key);
      return at(asNode(pair?.key)?.range?.[0] ?? parent.range?.[0]);
    },
  };
}

function innermost(document: Document, path: readonly PropertyKey[]): { range?: readonly number[] | null | undefined } {
  let node = document.contents;
  if (node === null) return document;
  for (const key of path) {
    const inner: Node | undefined = isSeq(node)
      ? asNode(node.items[Number(key)], document)
      : asNode(pairOf(node, String(key))?.value, document);
    if (inner === undefined) break;
    node = inner;
  }
  return node;
}

function pairOf(node: unknown, key: string): Pair | undefined {
  if (!isMap(node)) return undefined;
  return node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
}

function asNode(value: unknown, document?: Document): Node | undefined {
  if (isAlias(value)) return document === undefined ? value : asNode(value.resolve(document));
  return isMap(value) || isSeq(value) || isScalar(value) ? value : undefined;
}
