import { useCallback, useState } from "react";
import { count, fisherChart, percentWithInterval, significant } from "../../report/charts.ts";
import type { CellView, IdentityImages, SessionView } from "../../server/api.ts";
import { useAnswer } from "../ask.ts";
import { Chart } from "../parts/chart.tsx";
import { Alert, Frame } from "../parts/frame.tsx";
import { Pictures, Reference } from "../parts/pictures.tsx";
import { RunStateChip, When } from "../parts/state.tsx";
import { runPath } from "./runs.tsx";

/** Identities in view; the others on demand. */
const SHOWN = 12;

/** One cell: its numbers, every identity's reconstructions, and where its information sits. */
export function CellPage({ study, cell }: { readonly study: string; readonly cell: string }) {
  const path = `/api/runs/${encodeURIComponent(study)}/cells/${encodeURIComponent(cell)}`;
  const { answer, error } = useAnswer<CellView>(path, 10_000);
  const session = useAnswer<SessionView>("/api/session");
  return (
    <Frame
      title={cell}
      kicker={<a href={runPath(study)}>{study}</a>}
      session={hasPrivate(answer?.identities ?? []) ? session.answer : undefined}
      onSession={session.again}
    >
      {error !== undefined && <Alert>{error}</Alert>}
      {answer !== undefined && (
        <>
          <p className="facts">
            <RunStateChip state={answer.row.state} />
            <span>
              started <When iso={answer.row.started} />
            </span>
          </p>
          {answer.row.error !== undefined && <Alert>{answer.row.error}</Alert>}
          {answer.result !== undefined && <Numbers result={answer.result} />}
          <Identities identities={answer.identities} showPrivate={session.answer?.showPrivate === true} />
          {answer.fisher !== undefined && (
            <section>
              <h2>Fisher information</h2>
              <Fisher record={answer.fisher} />
            </section>
          )}
        </>
      )}
    </Frame>
  );
}

/** Whether the run keeps private images that could be shown. */
export function hasPrivate(identities: readonly IdentityImages[]): boolean {
  return identities.some(({ reference }) => reference !== undefined);
}

function Numbers({ result }: { readonly result: NonNullable<CellView["result"]> }) {
  const defense = result.defenseLabel ?? result.defense;
  const rows: readonly (readonly [string, string])[] = [
    ["defense", result.boundary === null ? defense : `${defense}, frozen up to ${result.boundary}`],
    ["attack", result.attackLabel ?? result.attack],
    ["natural accuracy", percentWithInterval(result.naturalAccuracy, 1)],
    ["attack accuracy, top-1", percentWithInterval(result.attackAccuracy, 1)],
    ["attack accuracy, top-5", percentWithInterval(result.attackAccuracyTop5, 1)],
    ["floor: random prior", percentWithInterval(result.floors.randomPrior, 1)],
    ["floor: initial selection", percentWithInterval(result.floors.initialSelection, 1)],
    ["KNN distance", significant(result.knnDistance.value)],
    [
      "evaluation model",
      `${result.evaluationModel.kind}, itself right on ${percentWithInterval(result.evaluationModel.naturalAccuracy, 1)}`,
    ],
    ["reconstructions", count(result.attackAccuracy.n)],
    ["parameters that saw private images", count(result.trainableParameters)],
  ];
  return (
    <dl className="terms">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Identities({
  identities,
  showPrivate,
}: {
  readonly identities: readonly IdentityImages[];
  readonly showPrivate: boolean;
}) {
  const [all, setAll] = useState(false);
  if (identities.length === 0) return <p className="quiet">Reconstructions are shown when the cell is done.</p>;
  return (
    <section>
      <h2>Reconstructions</h2>
      <p className="quiet">
        In class order, none picked by hand. The percentage is the share that the evaluation model recognises.
      </p>
      <ul className="people">
        {identities.slice(0, all ? undefined : SHOWN).map((identity) => (
          <li key={identity.label}>
            <h3>{identity.identity}</h3>
            <Reference of={identity} show={showPrivate} />
            <Pictures of={identity} said="this cell" />
          </li>
        ))}
      </ul>
      {!all && identities.length > SHOWN && (
        <button type="button" onClick={() => setAll(true)}>
          Show {identities.length - SHOWN} more
        </button>
      )}
    </section>
  );
}

/** A target's Fisher information by layer. */
export function Fisher({ record }: { readonly record: NonNullable<CellView["fisher"]> }) {
  const draw = useCallback((width: number) => fisherChart(record, width), [record]);
  const { boundary, target } = record;
  const cut = boundary === null ? "no boundary is recommended" : `the recommended boundary is ${boundary}`;
  return (
    <Chart
      draw={draw}
      most={860}
      label={`Fisher information of each layer of ${target}, for classification and inversion; ${cut}`}
    />
  );
}
