import * as Plot from "@observablehq/plot";
import { useCallback, useEffect, useRef, useState } from "react";
import { colorOf, count, percentWithInterval, symbolOf, utilityLeakageChart } from "../../report/charts.ts";
import type { ComparedCondition, ComparisonView, SessionView } from "../../server/api.ts";
import { useAnswer } from "../ask.ts";
import { Chart } from "../parts/chart.tsx";
import { Alert, Frame } from "../parts/frame.tsx";
import { Pictures, Reference } from "../parts/pictures.tsx";
import { Scroll } from "../parts/scroll.tsx";
import { Fisher, hasPrivate } from "./cell.tsx";
import { runPath } from "./runs.tsx";

/** Identities in view; the others on demand. */
const SHOWN = 12;

/** Runs side by side: their points, and the same people's reconstructions under each defense. */
export function ComparePage() {
  const runs = new URLSearchParams(location.search).get("runs") ?? "";
  const { answer, error } = useAnswer<ComparisonView>(`/api/compare?runs=${encodeURIComponent(runs)}`);
  const session = useAnswer<SessionView>("/api/session");
  const people = (answer?.conditions ?? []).flatMap(({ cells }) => cells.flatMap(({ identities }) => identities));
  return (
    <Frame
      title="Compare"
      kicker={runs.split(",").join(" · ")}
      session={hasPrivate(people) ? session.answer : undefined}
      onSession={session.again}
    >
      {error !== undefined && <Alert>{error}</Alert>}
      {answer?.conditions.length === 0 && <p>None of these runs has a finished cell yet.</p>}
      {answer !== undefined && answer.conditions.length > 0 && (
        <Comparison of={answer} showPrivate={session.answer?.showPrivate === true} />
      )}
    </Frame>
  );
}

const nameOf = ({ condition }: ComparedCondition) => `${condition.label}, ${condition.attack}`;

function Comparison({
  of: { conditions, warnings },
  showPrivate,
}: {
  readonly of: ComparisonView;
  readonly showPrivate: boolean;
}) {
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set(conditions.keys()));
  const toggle = useCallback(
    (at: number) =>
      setChosen((before) => {
        const after = new Set(before);
        if (!after.delete(at)) after.add(at);
        return after;
      }),
    [],
  );
  const draw = useCallback(
    (width: number) =>
      utilityLeakageChart(
        conditions.map(({ condition }) => condition),
        width,
      ),
    [conditions],
  );
  const select = useCallback(
    (svg: SVGSVGElement) => makeSelectable(svg, conditions.map(nameOf), chosen, toggle),
    [conditions, chosen, toggle],
  );
  const shown = conditions.filter((_, at) => chosen.has(at));
  return (
    <>
      {warnings.map((warning) => (
        <p key={warning} className="note">
          Not comparable: {warning}.
        </p>
      ))}
      <section>
        <h2>Utility and leakage</h2>
        <p className="quiet">
          Down and to the right is better. Whiskers are 95 % intervals. Choose points here or in the table.
        </p>
        <Chart draw={draw} label="Utility against leakage; each point can be chosen" after={select} />
        <Points conditions={conditions} chosen={chosen} onToggle={toggle} />
      </section>
      <Faces conditions={shown} showPrivate={showPrivate} />
      <FisherCurves conditions={shown} />
    </>
  );
}

/**
 * Makes the plot's points check boxes: each says what it is, whether it is chosen, and answers to clicks and keys. The chart gives a
 * `title` to points alone, in the order of the conditions.
 */
function makeSelectable(
  svg: SVGSVGElement,
  names: readonly string[],
  chosen: ReadonlySet<number>,
  toggle: (at: number) => void,
): void {
  const points = [...svg.querySelectorAll<SVGElement>("[aria-label=dot] > *")].filter((dot) =>
    dot.querySelector("title"),
  );
  for (const [at, point] of points.entries()) {
    const on = chosen.has(at);
    point.setAttribute("role", "checkbox");
    point.setAttribute("tabindex", "0");
    point.setAttribute("aria-checked", String(on));
    point.setAttribute("aria-label", names[at] ?? "");
    point.setAttribute("class", on ? "point" : "point off");
    point.addEventListener("click", () => toggle(at));
    point.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      toggle(at);
      // The drawing is made anew: focus goes to the same point of the new one.
      requestAnimationFrame(() => {
        const now = document.querySelectorAll<SVGElement>(".chart .point")[at];
        now?.focus();
      });
    });
  }
}

function Points({
  conditions,
  chosen,
  onToggle,
}: {
  readonly conditions: readonly ComparedCondition[];
  readonly chosen: ReadonlySet<number>;
  readonly onToggle: (at: number) => void;
}) {
  return (
    <Scroll name="Points of the plot">
      <table>
        <caption className="unseen">Points of the plot</caption>
        <thead>
          <tr>
            <th scope="col">defense</th>
            <th scope="col">attack</th>
            <th scope="col" className="num">
              natural accuracy
            </th>
            <th scope="col" className="num">
              attack accuracy
            </th>
            <th scope="col" className="num">
              seeds
            </th>
            <th scope="col">cells</th>
          </tr>
        </thead>
        <tbody>
          {conditions.map((entry, at) => (
            <tr key={`${entry.study} ${nameOf(entry)}`}>
              <th scope="row">
                <label className="check">
                  <input type="checkbox" checked={chosen.has(at)} onChange={() => onToggle(at)} />
                  <Swatch entry={entry} />
                  {entry.condition.label}
                </label>
              </th>
              <td>{entry.condition.attack}</td>
              <td className="num">{percentWithInterval(entry.condition.naturalAccuracy, 1)}</td>
              <td className="num">{percentWithInterval(entry.condition.attackAccuracy, 1)}</td>
              <td className="num">{count(entry.cells.length)}</td>
              <td>
                {entry.cells.map(({ id, seed }) => (
                  <a key={id} className="cell-link" href={runPath(id)}>
                    seed {seed}
                  </a>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** A condition's mark as the plot draws it: colour by defense, shape by attack. */
function Swatch({ entry: { condition } }: { readonly entry: ComparedCondition }) {
  const place = useRef<HTMLSpanElement>(null);
  const { labelIndex, attackIndex } = condition;
  useEffect(() => {
    const side = 14;
    const mark = Plot.dot([[0, 0]], { symbol: symbolOf(attackIndex), fill: colorOf(labelIndex), r: 4.5 });
    place.current?.replaceChildren(
      Plot.plot({
        width: side,
        height: side,
        margin: 0,
        axis: null,
        x: { domain: [-1, 1] },
        y: { domain: [-1, 1] },
        marks: [mark],
      }),
    );
  }, [labelIndex, attackIndex]);
  return <span className="swatch" ref={place} aria-hidden="true" />;
}

/** The same identity under every chosen point, in one row. */
function Faces({
  conditions,
  showPrivate,
}: {
  readonly conditions: readonly ComparedCondition[];
  readonly showPrivate: boolean;
}) {
  const [all, setAll] = useState(false);
  const cells = conditions.flatMap((entry) => {
    const cell = entry.cells[0];
    return cell === undefined ? [] : [{ entry, people: new Map(cell.identities.map((of) => [of.identity, of])) }];
  });
  const names = [...new Set(cells.flatMap(({ people }) => [...people.keys()]))];
  if (names.length === 0) return null;
  return (
    <section>
      <h2>The same people under each defense</h2>
      <p className="quiet">
        Of each point's first seed, in class order, none picked by hand. The percentage is the share that the evaluation
        model recognises.
      </p>
      <Scroll name="The same people under each defense">
        <table className="faces">
          <thead>
            <tr>
              <th scope="col">identity</th>
              {cells.map(({ entry }) => (
                <th scope="col" key={`${entry.study} ${nameOf(entry)}`}>
                  <Swatch entry={entry} /> {nameOf(entry)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.slice(0, all ? undefined : SHOWN).map((name) => (
              <tr key={name}>
                <th scope="row">
                  {name}
                  <Reference
                    of={cells.map(({ people }) => people.get(name)).find((of) => of?.reference !== undefined)}
                    show={showPrivate}
                  />
                </th>
                {cells.map(({ entry, people }) => (
                  <td key={`${entry.study} ${nameOf(entry)}`}>
                    <Pictures of={people.get(name)} said={nameOf(entry)} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {!all && names.length > SHOWN && (
        <button type="button" onClick={() => setAll(true)}>
          Show {names.length - SHOWN} more
        </button>
      )}
    </section>
  );
}

function FisherCurves({ conditions }: { readonly conditions: readonly ComparedCondition[] }) {
  const found = conditions.flatMap((entry) =>
    entry.cells.flatMap(({ id, fisher }) => (fisher === undefined ? [] : [{ entry, id, fisher }])),
  );
  if (found.length === 0) return null;
  return (
    <section>
      <h2>Fisher information</h2>
      {found.map(({ entry, id, fisher }) => (
        <figure key={id}>
          <figcaption>
            {nameOf(entry)}, <a href={runPath(id)}>{id}</a>
          </figcaption>
          <Fisher record={fisher} />
        </figure>
      ))}
    </section>
  );
}
