import type { GridCell, RunState } from "../../server/api.ts";

const RUN: Readonly<Record<RunState, { readonly word: string; readonly tone: string }>> = {
  QUEUED: { word: "not begun", tone: "plain" },
  RUNNING: { word: "running", tone: "busy" },
  COMPLETED: { word: "done", tone: "good" },
  FAILED: { word: "failed", tone: "bad" },
  INTERRUPTED: { word: "stopped", tone: "warn" },
  LOST: { word: "lost", tone: "warn" },
};

const CELL: Readonly<Record<GridCell["state"], string>> = {
  waiting: "plain",
  running: "busy",
  done: "good",
  failed: "bad",
  stopped: "warn",
};

/** How a run stands, in a word; the dot's colour says no more than the word. */
export function RunStateChip({ state }: { readonly state: RunState }) {
  return <span className={`chip ${RUN[state].tone}`}>{RUN[state].word}</span>;
}

export function CellStateChip({ state }: { readonly state: GridCell["state"] }) {
  return <span className={`chip ${CELL[state]}`}>{state}</span>;
}

/** The states by the words that the page uses, for a filter. */
export const RUN_STATES: readonly (readonly [RunState, string])[] = (Object.keys(RUN) as RunState[]).map((state) => [
  state,
  RUN[state].word,
]);

/** A time of day, with its date where it is another day. */
export function When({ iso }: { readonly iso: string }) {
  if (iso === "") return null;
  const at = new Date(iso);
  const sameDay = at.toDateString() === new Date().toDateString();
  const text = sameDay
    ? at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
    : at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  return <time dateTime={iso}>{text}</time>;
}
