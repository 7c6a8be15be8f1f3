import { useCallback, useMemo, useState } from "react";
import {
  type CurvePanel,
  curveChart,
  curvePanels,
  dashOf,
  duration,
  percent,
  significant,
} from "../../report/charts.ts";
import type { GridCell, StepAt, StudyView } from "../../server/api.ts";
import { ask } from "../ask.ts";
import { type Live, secondsLeft, useLive } from "../live.ts";
import { Chart } from "../parts/chart.tsx";
import { Alert, Frame } from "../parts/frame.tsx";
import { Scroll } from "../parts/scroll.tsx";
import { CellStateChip, RunStateChip, When } from "../parts/state.tsx";
import { runPath } from "./runs.tsx";

/** A study: what it is doing, its grid, its curves. */
export function StudyPage({ id }: { readonly id: string }) {
  const live = useLive(id);
  const { view } = live;
  return (
    <Frame title={view?.row.name ?? id} kicker={view?.row.name === id ? undefined : id}>
      {live.lost && view === undefined && <Alert>There is no run {id}, or the server does not answer.</Alert>}
      {live.lost && view !== undefined && <Alert>The server does not answer; trying again.</Alert>}
      {view !== undefined && (
        <>
          <Head view={view} />
          {live.now !== undefined && view.row.state === "RUNNING" && <Now live={live} now={live.now} />}
          {live.warnings.map((warning) => (
            <p key={warning} className="note">
              {warning}
            </p>
          ))}
          <Grid id={id} cells={view.grid} />
          {view.notes.length > 0 && (
            <section>
              <h2>Notes</h2>
              {view.notes.map((note) => (
                <p key={note} className="note">
                  {note}
                </p>
              ))}
            </section>
          )}
          <Steps live={live} />
          <Curves curves={view.curves} />
          {view.control.log.length > 0 && (
            <details>
              <summary>Output of the run that was started here</summary>
              <Scroll name="Output">
                <pre>{view.control.log.join("\n")}</pre>
              </Scroll>
            </details>
          )}
        </>
      )}
    </Frame>
  );
}

function Head({ view: { row, control, grid } }: { readonly view: StudyView }) {
  const [said, setSaid] = useState("");
  const [asked, setAsked] = useState(false);
  const act = (what: "start" | "stop") => {
    setAsked(true);
    setSaid("");
    ask(`/api/runs/${encodeURIComponent(row.id)}/${what}`, {})
      .then(() => setSaid(what === "stop" ? "Stopping: a checkpoint is saved first." : "Started."))
      .catch((error: Error) => setSaid(error.message))
      .finally(() => setAsked(false));
  };
  const resumed = row.attempts > 0;
  return (
    <>
      <p className="facts">
        <RunStateChip state={row.state} />
        {row.started !== "" && (
          <span>
            started <When iso={row.started} />
          </span>
        )}
        {row.ended !== undefined && (
          <span>
            ended <When iso={row.ended} />
          </span>
        )}
        {row.attempts > 1 && <span>{row.attempts} attempts</span>}
      </p>
      {row.error !== undefined && row.state === "FAILED" && <Alert>{row.error}</Alert>}
      <p className="actions">
        {control.canStart && (
          <button type="button" disabled={asked} onClick={() => act("start")}>
            {resumed ? "Resume" : "Start"}
          </button>
        )}
        {control.canStop && (
          <button type="button" disabled={asked} onClick={() => act("stop")}>
            Stop
          </button>
        )}
        {grid.some(({ state }) => state === "done") && (
          <a className="button" href={`/compare?runs=${encodeURIComponent(row.id)}`}>
            Compare its cells
          </a>
        )}
        <span role="status" className="quiet">
          {said === "" ? (control.why ?? "") : said}
        </span>
      </p>
    </>
  );
}

/** The step at hand: how far, how long, its numbers, and the pictures of an attack as they sharpen. */
function Now({ live, now }: { readonly live: Live; readonly now: StepAt }) {
  const left = secondsLeft(live.progress);
  const { done, total, unit, metrics = {} } = now;
  const of = live.steps === undefined ? "" : ` (step ${Math.min(live.ended.length + 1, live.steps)} of ${live.steps})`;
  return (
    <section className="now" aria-labelledby="now">
      <h2 id="now">
        <span aria-live="polite">{now.step}</span>
        <small>{of}</small>
      </h2>
      {done !== undefined && total !== undefined && (
        <p className="facts">
          <progress aria-label={`Progress of ${now.step}`} value={done} max={total} />
          <span>
            {done} of {total} {unit}
          </span>
          {left !== undefined && <span>about {duration(left)} left</span>}
          {Object.entries(metrics).map(([name, value]) => (
            <span key={name}>
              {name} {significant(value)}
            </span>
          ))}
        </p>
      )}
      <div className="pair">
        <Losses progress={live.progress} unit={unit ?? "steps"} />
        {live.preview !== undefined && <Sharpening preview={live.preview} />}
      </div>
    </section>
  );
}

function Losses({ progress, unit }: { readonly progress: readonly StepAt[]; readonly unit: string }) {
  const names = [...new Set(progress.flatMap(({ metrics = {} }) => Object.keys(metrics)))];
  const points = (name: string) =>
    progress.flatMap(({ done, metrics }) => {
      const value = metrics?.[name];
      return done === undefined || value === undefined ? [] : [[done, value] as const];
    });
  const panel: CurvePanel = {
    title: "losses",
    unit: "number",
    xLabel: unit,
    names,
    lines: names.map((name) => ({ name, seed: 0, points: points(name) })),
  };
  if (names.length === 0) return null;
  return <Panel panel={panel} />;
}

function Sharpening({ preview }: { readonly preview: NonNullable<Live["preview"]> }) {
  const [height, width] = preview.size;
  const columns = preview.labels.length;
  const strip = (source: string, alt: string) => (
    <img className="sheet" src={source} alt={alt} width={width * columns} height={height} />
  );
  return (
    <figure>
      <figcaption>Reconstructions on their way, one a class: {preview.labels.join(", ")}</figcaption>
      {strip(preview.first, "Reconstructions at the start")}
      {strip(preview.latest, "Reconstructions now")}
      <p className="quiet">above: at the start · below: now</p>
    </figure>
  );
}

function Grid({ id, cells }: { readonly id: string; readonly cells: readonly GridCell[] }) {
  if (cells.length === 0) return <p className="quiet">The grid is shown when the study is planned.</p>;
  const attacks = [...new Set(cells.map(({ attack }) => attack))];
  const rows = [...new Map(cells.map(({ defense, seed }) => [`${defense} ${seed}`, { defense, seed }])).values()];
  const seeds = new Set(cells.map(({ seed }) => seed)).size > 1;
  const done = cells.filter(({ state }) => state === "done").length;
  return (
    <section>
      <h2>
        Cells <small>{`${done} of ${cells.length} done`}</small>
      </h2>
      <Scroll name="Grid of cells">
        <table className="grid">
          <thead>
            <tr>
              <th scope="col">defense</th>
              {attacks.map((attack) => (
                <th key={attack} scope="col">
                  {attack}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ defense, seed }) => (
              <tr key={`${defense} ${seed}`}>
                <th scope="row">
                  {defense}
                  {seeds && <small>seed {seed}</small>}
                </th>
                {attacks.map((attack) => {
                  const cell = cells.find((c) => c.defense === defense && c.seed === seed && c.attack === attack);
                  return <td key={attack}>{cell !== undefined && <GridEntry id={id} cell={cell} />}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      <p className="quiet">
        Large: the attack accuracy, the share of reconstructions that the evaluation model recognises. Small: the
        natural accuracy.
      </p>
    </section>
  );
}

function GridEntry({ id, cell }: { readonly id: string; readonly cell: GridCell }) {
  const { attackAccuracy, found, message, naturalAccuracy, state } = cell;
  return (
    <>
      {found ? (
        <a href={runPath(`${id}/${cell.cell}`)} aria-label={`${cell.cell}, ${state}`}>
          <CellStateChip state={state} />
        </a>
      ) : (
        <CellStateChip state={state} />
      )}
      {attackAccuracy !== undefined && <span className="big">{percent(attackAccuracy.value)}</span>}
      {naturalAccuracy !== undefined && <small>natural {percent(naturalAccuracy.value)}</small>}
      {message !== undefined && <span className="why">{message}</span>}
    </>
  );
}

const HOW: Readonly<Record<string, string>> = { store: "reused", shipped: "comes with the package" };

function Steps({ live: { ended } }: { readonly live: Live }) {
  if (ended.length === 0) return null;
  return (
    <details>
      <summary>{ended.length} steps of the newest attempt</summary>
      <ul className="steps">
        {ended.map(({ id, step, state, source = "", seconds, message }) => (
          <li key={id}>
            <span>{step}</span>
            <span className="quiet">
              {state === "done"
                ? (HOW[source] ?? duration(seconds ?? Number.NaN))
                : `${state}${message === undefined ? "" : `: ${message}`}`}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Curves({ curves }: { readonly curves: StudyView["curves"] }) {
  const panels = useMemo(() => curvePanels(curves), [curves]);
  if (panels.length === 0) return null;
  return (
    <section>
      <h2>Training</h2>
      <div className="multiples">
        {panels.map((panel) => (
          <Panel key={`${panel.title} ${panel.unit}`} panel={panel} />
        ))}
      </div>
    </section>
  );
}

function Panel({ panel }: { readonly panel: CurvePanel }) {
  const draw = useCallback((width: number) => curveChart(panel, width), [panel]);
  return (
    <figure>
      <figcaption>
        {panel.title}
        {panel.unit === "share" ? ", %" : ""}
      </figcaption>
      <Chart draw={draw} most={420} label={`${panel.title}: ${panel.names.join(", ")} against ${panel.xLabel}`} />
      <ul className="legend">
        {panel.names.map((name, place) => (
          <li key={name}>
            <svg width="22" height="8" aria-hidden="true">
              <line
                x1="0"
                x2="22"
                y1="4"
                y2="4"
                stroke="currentColor"
                strokeWidth="1.5"
                strokeDasharray={dashOf(place)}
              />
            </svg>
            {name}
          </li>
        ))}
      </ul>
    </figure>
  );
}
