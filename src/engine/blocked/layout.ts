import type { Value } from "../graph.ts";
import type { Lowering } from "../lowering.ts";

/** The runtime's own operators on tensors whose channels lie in blocks: [N, C/b, H, W, b] where the shape says [N, C, H, W]. */
export const BLOCKED_DOMAIN = "com.microsoft.nchwc";

/** A convolution that is known but not yet written: what follows it may still become part of it. */
export interface OpenConv {
  readonly input: string;
  readonly weight: string;
  readonly attributes: Readonly<Record<string, number | readonly number[]>>;
  /** [K], added to every pixel. */
  readonly bias?: string;
  /** Added to the result, of its shape. */
  readonly sum?: string;
  readonly relu?: boolean;
  readonly path: string;
}

/** What a rule writes with: nodes as any lowering does, and values in the layout that they are wanted in. */
export interface BlockedLowering extends Lowering {
  /** Channels of a block. */
  readonly block: number;
  /** A node of the runtime's own domain. */
  blockedNode(
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, number | string | readonly number[]>>,
  ): string;
  /** The value with whole planes, as everything else reads it. */
  plain(v: Value): string;
  /** The value in blocks; its channels must be a multiple of a block. */
  blocked(v: Value): string;
  /** The value with channels last, [N, H, W, C]. */
  channelsLast(v: Value): string;
  /** Whether it is in blocks already. */
  isBlocked(v: Value): boolean;
  /** The open convolution behind a value that nobody else reads; taken, it is no longer written for that value. */
  takeOpen(v: Value): OpenConv | undefined;
  /** The same without taking it. */
  peekOpen(v: Value): OpenConv | undefined;
  /** Something made of a value once, such as a weight in blocks. */
  once(v: Value, what: string, make: () => string): string;
}

/** What a value became. */
export type BlockedResult = { readonly open: OpenConv } | { readonly blocked: string } | { readonly plain: string };

/** Writes a value's nodes in the blocked layout; undefined where it is better, or only possible, in the plain one. */
export type BlockedRule = (l: BlockedLowering, y: Value) => BlockedResult | undefined;

/** Whether a value can lie in blocks. */
export function dividesIntoBlocks({ shape, dtype }: Value, block: number): boolean {
  return shape.length === 4 && shape[1]! % block === 0 && dtype !== "int32";
}
