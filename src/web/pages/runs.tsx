import { useState } from "react";
import { count, duration } from "../../report/charts.ts";
import type { RunList, RunRow } from "../../server/api.ts";
import { useAnswer } from "../ask.ts";
import { Alert, Frame } from "../parts/frame.tsx";
import { RUN_STATES, RunStateChip, When } from "../parts/state.tsx";

const PAGE = 100;

/** All runs of the folder, newest first. */
export function RunsPage() {
  const [q, setQ] = useState("");
  const [state, setState] = useState("");
  const [kind, setKind] = useState("study");
  const [from, setFrom] = useState(0);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const query = new URLSearchParams({ q, state, kind, from: String(from) });
  const { answer, error } = useAnswer<RunList>(`/api/runs?${query}`, 5000);
  const first = (set: (value: string) => void) => (value: string) => {
    set(value);
    setFrom(0);
  };
  const toggle = (id: string) =>
    setChosen((ids) => (ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id]));
  return (
    <Frame title="Runs">
      <search className="filters">
        <label className="grow">
          Search
          <input type="search" value={q} onChange={(event) => first(setQ)(event.target.value)} />
        </label>
        <label>
          State
          <select value={state} onChange={(event) => first(setState)(event.target.value)}>
            <option value="">any</option>
            {RUN_STATES.map(([value, word]) => (
              <option key={value} value={value}>
                {word}
              </option>
            ))}
          </select>
        </label>
        <label>
          Show
          <select value={kind} onChange={(event) => first(setKind)(event.target.value)}>
            <option value="study">studies</option>
            <option value="cell">cells</option>
            <option value="">studies and cells</option>
          </select>
        </label>
      </search>
      {error !== undefined && <Alert>{error}</Alert>}
      {answer !== undefined && (
        <>
          <div className="row-bar">
            <p className="quiet" role="status">
              {answer.total === 0
                ? "No runs yet."
                : `${count(answer.matched)} of ${count(answer.total)} studies and cells`}
            </p>
            {chosen.length > 0 && (
              <a
                className="button"
                href={`/compare?runs=${chosen.map((id) => encodeURIComponent(id)).join(",")}`}
              >{`Compare ${chosen.length} ${chosen.length === 1 ? "run" : "runs"}`}</a>
            )}
          </div>
          {answer.total === 0 && (
            <p>
              Start with a <a href="/new">new study</a>, or run one on the command line:{" "}
              <code>tldmi run examples/quickstart.yaml</code>
            </p>
          )}
          {answer.rows.length > 0 && <Rows rows={answer.rows} chosen={chosen} onToggle={toggle} />}
          {answer.matched > PAGE && (
            <nav className="pager" aria-label="More runs">
              <button type="button" disabled={from === 0} onClick={() => setFrom(Math.max(0, from - PAGE))}>
                Newer
              </button>
              <span className="quiet">
                {count(from + 1)}–{count(from + answer.rows.length)} of {count(answer.matched)}
              </span>
              <button type="button" disabled={from + PAGE >= answer.matched} onClick={() => setFrom(from + PAGE)}>
                Older
              </button>
            </nav>
          )}
        </>
      )}
    </Frame>
  );
}

/** The address of a run's page. */
export function runPath(id: string): string {
  return `/run/${id.split("/").map(encodeURIComponent).join("/")}`;
}

function Rows({
  rows,
  chosen,
  onToggle,
}: {
  readonly rows: readonly RunRow[];
  readonly chosen: readonly string[];
  readonly onToggle: (id: string) => void;
}) {
  return (
    <table className="cards">
      <caption className="unseen">Runs, newest first</caption>
      <thead>
        <tr>
          <th scope="col">
            <span className="unseen">compare</span>
          </th>
          <th scope="col">run</th>
          <th scope="col">state</th>
          <th scope="col">started</th>
          <th scope="col">took</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id}>
            <td className="pick">
              <input
                type="checkbox"
                aria-label={`Compare ${row.id}`}
                checked={chosen.includes(row.id)}
                onChange={() => onToggle(row.id)}
              />
            </td>
            <th scope="row">
              <a href={runPath(row.id)}>{row.id}</a>
              {row.error !== undefined && <span className="why">{row.error}</span>}
            </th>
            <td>
              <RunStateChip state={row.state} />
            </td>
            <td>
              <When iso={row.started} />
              {row.attempts > 1 && <small>{row.attempts} attempts</small>}
            </td>
            <td className="num">
              {row.ended === undefined ? "" : duration((Date.parse(row.ended) - Date.parse(row.started)) / 1000)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
