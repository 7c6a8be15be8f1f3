import { useCallback, useEffect, useState } from "react";
import type { ErrorBody } from "../server/api.ts";

/**
 * Asks the server.
 * @param signal takes the question back
 * @throws Error with the server's own message; the signal's reason where it is aborted.
 */
export async function ask<Answer>(path: string, body?: object, signal?: AbortSignal): Promise<Answer> {
  const response = await fetch(path, {
    ...(body !== undefined && {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
    ...(signal && { signal }),
  }).catch(() => {
    signal?.throwIfAborted();
    throw new Error("the server does not answer; is `tldmi serve` still running?");
  });
  if (response.status === 401) location.assign("/login");
  const answer: unknown = await response.json();
  if (!response.ok) throw new Error((answer as ErrorBody).error);
  return answer as Answer;
}

/** What was asked for: nothing yet, an answer, or why there is none. */
export interface Asked<Answer> {
  readonly answer?: Answer;
  readonly error?: string;
  /** Asks again. */
  readonly again: () => void;
}

/** An answer of the server, asked for anew when the path changes and every so many milliseconds. */
export function useAnswer<Answer>(path: string, everyMs?: number): Asked<Answer> {
  const [state, setState] = useState<Omit<Asked<Answer>, "again">>({});
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round asks the same again
  useEffect(() => {
    let gone = false;
    ask<Answer>(path)
      .then((answer) => !gone && setState({ answer }))
      .catch((error: Error) => !gone && setState((before) => ({ ...before, error: error.message })));
    return () => {
      gone = true;
    };
  }, [path, round]);
  const again = useCallback(() => setRound((n) => n + 1), []);
  useEffect(() => {
    if (everyMs === undefined) return;
    const timer = setInterval(() => document.visibilityState === "visible" && again(), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, again]);
  return { ...state, again };
}
