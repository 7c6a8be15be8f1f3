import { useEffect, useMemo, useState } from "react";
import { parse, stringify } from "yaml";
import { count, duration } from "../../report/charts.ts";
import type { EstimatedWork, Fault, SavedStudy, StudyCheck, StudyEstimate } from "../../server/api.ts";
import { ask, useAnswer } from "../ask.ts";
import { Field, Form, fieldId } from "../form/field.tsx";
import { isMapping, type Schema, withKey } from "../form/schema.ts";
import { Alert, Frame } from "../parts/frame.tsx";
import { runPath } from "./runs.tsx";

/** Milliseconds after the last change before the server is asked what it thinks. */
const PAUSE = 400;

/** A small study that is valid as it stands. */
const START: Readonly<Record<string, unknown>> = {
  name: "my-study",
  data: "faces",
  model: "resnet10",
  evaluation: { model: "vgg16_bn" },
  defenses: ["none", { kind: "tl-dmi", freeze: "layer3" }],
  attacks: ["gmi"],
};

/** A form that writes a study file. */
export function NewStudyPage() {
  const schema = useAnswer<Schema>("/api/schema");
  return (
    <Frame title="New study">
      {schema.error !== undefined && <Alert>{schema.error}</Alert>}
      {schema.answer !== undefined && <Editor schema={schema.answer} />}
    </Frame>
  );
}

/** What the server last said of a study, and of which text. */
interface Checked {
  readonly yaml: string;
  readonly faults: readonly Fault[];
  /** There once they were counted; with their costs once these were estimated. */
  readonly steps?: readonly EstimatedWork[];
  readonly estimated?: boolean;
}

function Editor({ schema }: { readonly schema: Schema }) {
  const [study, setStudy] = useState(START);
  const [text, setText] = useState(() => stringify(START));
  const [checked, setChecked] = useState<Checked>();
  const [busy, setBusy] = useState("");
  const [error, setError] = useState("");
  /** Takes back the estimate that is being made. */
  const [cancel, setCancel] = useState<() => void>();

  const write = (next: Readonly<Record<string, unknown>>) => {
    // In the schema's order, whatever was filled in first; keys that it does not know come last.
    const order = Object.keys(schema.properties ?? {});
    const place = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
    const sorted = Object.fromEntries(Object.entries(next).sort(([a], [b]) => place(a) - place(b)));
    setStudy(sorted);
    setText(stringify(sorted));
  };
  const type = (yaml: string) => {
    setText(yaml);
    try {
      const value: unknown = parse(yaml);
      if (isMapping(value)) setStudy(value);
    } catch {
      // The server says where the text is no YAML; the form keeps what it had.
    }
  };

  const check = (plan: boolean) =>
    ask<StudyCheck>("/api/studies/check", { yaml: text, plan }).then((said) => setChecked({ ...said, yaml: text }));
  useEffect(() => {
    const timer = setTimeout(() => {
      ask<StudyCheck>("/api/studies/check", { yaml: text, plan: false })
        // A plan that was made of the same text stays.
        .then((said) => setChecked((before) => (before?.yaml === text ? before : { ...said, yaml: text })))
        .catch((reason: Error) => setError(reason.message));
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [text]);

  const during = (what: string, work: Promise<unknown>) => {
    setBusy(what);
    setError("");
    work.catch((reason: Error) => setError(reason.message)).finally(() => setBusy(""));
  };
  const estimate = () => {
    const taken = new AbortController();
    setCancel(() => () => taken.abort());
    during(
      "Trying a few steps of each part, which may take minutes …",
      ask<StudyEstimate>("/api/studies/estimate", { yaml: text }, taken.signal)
        .then((said) => setChecked({ ...said, yaml: text, estimated: true }))
        .catch((reason: Error) => {
          if (!taken.signal.aborted) throw reason;
        })
        .finally(() => setCancel(undefined)),
    );
  };
  const save = (start: boolean) =>
    during(
      start ? "Starting …" : "Saving …",
      ask<SavedStudy>("/api/studies", { yaml: text, start }).then(({ id }) => location.assign(runPath(id))),
    );

  const faults = checked?.faults ?? [];
  const form = useMemo(() => ({ root: schema, faults }), [schema, faults]);
  const blocked = busy !== "" || checked?.yaml !== text || faults.length > 0;
  const required = Object.entries(schema.properties ?? {}).filter(([key]) => schema.required?.includes(key));
  const optional = Object.entries(schema.properties ?? {}).filter(([key]) => !schema.required?.includes(key));
  const field = ([key, of]: readonly [string, Schema]) => (
    <Field
      key={key}
      name={key}
      schema={of}
      value={study[key]}
      path={[key]}
      onChange={(value) => write(withKey(study, key, value))}
    />
  );
  return (
    <Form value={form}>
      <div className="editor">
        <form onSubmit={(event) => event.preventDefault()} aria-label="Study">
          {required.map(field)}
          <h2>Further settings</h2>
          {optional.map((entry) => (
            <FoldedGroup key={entry[0]} name={entry[0]} open={faults.some(({ path }) => path[0] === entry[0])}>
              {field(entry)}
            </FoldedGroup>
          ))}
        </form>
        <div className="aside">
          <label htmlFor="yaml">Study file</label>
          <textarea
            id="yaml"
            spellCheck={false}
            rows={Math.min(28, text.split("\n").length + 1)}
            value={text}
            onChange={(event) => type(event.target.value)}
          />
          <Verdict checked={checked} faults={faults} />
          <p className="actions">
            <button
              type="button"
              disabled={blocked}
              onClick={() => during("Counting steps; the data are read …", check(true))}
            >
              Count steps
            </button>
            <button type="button" disabled={blocked} onClick={estimate}>
              Estimate time
            </button>
            {cancel !== undefined && (
              <button type="button" onClick={cancel}>
                Cancel
              </button>
            )}
            <button type="button" disabled={blocked} onClick={() => save(false)}>
              Save
            </button>
            <button type="button" className="primary" disabled={blocked} onClick={() => save(true)}>
              Save and start
            </button>
          </p>
          <p role="status" className="quiet">
            {busy}
          </p>
          {error !== "" && <Alert>{error}</Alert>}
        </div>
      </div>
    </Form>
  );
}

function FoldedGroup({
  name,
  open,
  children,
}: {
  readonly name: string;
  readonly open: boolean;
  readonly children: React.ReactNode;
}) {
  const [opened, setOpened] = useState(false);
  const shown = open || opened;
  return (
    <details open={shown} onToggle={(event) => setOpened(event.currentTarget.open)}>
      <summary>{name}</summary>
      {shown && children}
    </details>
  );
}

/** What the server says of the study: what is wrong, with a way to each field, or what it would cost. */
function Verdict({ checked, faults }: { readonly checked: Checked | undefined; readonly faults: readonly Fault[] }) {
  if (checked === undefined) return null;
  if (faults.length > 0) {
    return (
      <div role="alert">
        <p className="bad">{faults.length === 1 ? "One thing is wrong:" : `${faults.length} things are wrong:`}</p>
        <ul className="faults">
          {faults.map(({ path, line, message }) => (
            <li key={`${path.join(".")} ${message}`}>
              {path.length > 0 && (
                <button type="button" className="link" onClick={() => lead(path)}>
                  {path.join(".")}
                </button>
              )}{" "}
              {message}
              {line !== undefined && <span className="quiet"> (line {line})</span>}
            </li>
          ))}
        </ul>
      </div>
    );
  }
  const { steps, estimated } = checked;
  if (steps === undefined) return <p role="status">✓ Valid.</p>;
  const open = steps.filter(({ state }) => state === "to do" || state === "resumes").length;
  return (
    <>
      <p role="status">
        {`✓ Valid: ${steps.length} steps, ${open} of them to do; ${steps.length - open} are there already.`}
      </p>
      {estimated === true && <Cost steps={steps} />}
    </>
  );
}

/** What is to do in all, and each part of it. */
function Cost({ steps }: { readonly steps: readonly EstimatedWork[] }) {
  const open = steps.filter(({ cost, basis }) => cost !== undefined || basis !== undefined);
  const seconds = open.reduce((sum, { cost }) => sum + (cost?.seconds ?? 0), 0);
  const queries = open.reduce((sum, { cost }) => sum + (cost?.queries ?? 0), 0);
  const unknown = open.filter(({ cost }) => cost === undefined).length;
  return (
    <>
      <p role="status">
        About <b>{duration(seconds)}</b> on this machine
        {queries > 0 && <>, {count(queries)} images through the targets</>}
        {unknown > 0 && <>, and {unknown} steps of unknown cost</>}.
      </p>
      <details>
        <summary>Each step</summary>
        <ul className="faults">
          {open.map(({ id, name, cost, basis }) => (
            <li key={id}>
              {name}: {cost === undefined ? `unknown, ${why(basis)}` : duration(cost.seconds)}
              {cost?.queries !== undefined && <span className="quiet"> ({count(cost.queries)} images)</span>}
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

const why = (basis: EstimatedWork["basis"]) => (typeof basis === "object" ? basis.unknown : "");

/** Moves to the field that a message is about, or to the nearest one around it. */
function lead(path: Fault["path"]): void {
  for (let length = path.length; length > 0; length--) {
    const field = document.getElementById(fieldId(path.slice(0, length)));
    if (field === null) continue;
    field.focus();
    field.scrollIntoView({ block: "center" });
    return;
  }
}
