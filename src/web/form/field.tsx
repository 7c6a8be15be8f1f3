import { createContext, useContext, useId, useState } from "react";
import { parse, stringify } from "yaml";
import type { Fault } from "../../server/api.ts";
import { chosen, firstValue, isMapping, kindsOf, partsOf, resolved, type Schema, withKey } from "./schema.ts";

type Path = readonly (string | number)[];

/** What every field of a form knows. */
export interface FormState {
  readonly root: Schema;
  readonly faults: readonly Fault[];
}
export const Form = createContext<FormState>({ root: {}, faults: [] });

interface FieldProps {
  readonly schema: Schema;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly path: Path;
  readonly name: string;
}

/** The id of a field's input, for messages to lead to. */
export const fieldId = (path: Path) => `field-${path.join("-")}`;

const begins = (path: Path, prefix: Path) => prefix.every((key, at) => path[at] === key);

/** Messages of this very field; with `below`, of everything in it too. */
function useFaults(path: Path, below: boolean): readonly Fault[] {
  return useContext(Form).faults.filter(
    (fault) => begins(fault.path, path) && (below || fault.path.length === path.length),
  );
}

/** A field for whatever the schema describes. */
export function Field(props: FieldProps) {
  const { root } = useContext(Form);
  const schema = resolved(props.schema, root);
  if (kindsOf(schema) !== undefined) return <ChoiceField {...props} schema={schema} />;
  if (schema.properties !== undefined) return <MappingField {...props} schema={schema} />;
  if (schema.type === "array" && schema.items !== undefined) {
    const items = resolved(schema.items, root);
    if (items.enum !== undefined) return <SetField {...props} schema={schema} of={items.enum.map(String)} />;
    return <ListField {...props} schema={schema} items={items} />;
  }
  return <ValueField {...props} schema={schema} />;
}

/** Keys of a mapping: those that must be there first, the others on demand. */
export function Keys({ schema, value, onChange, path }: Omit<FieldProps, "name">) {
  const keys = isMapping(value) ? value : {};
  const properties = Object.entries(schema.properties ?? {}).filter(([key]) => key !== "kind");
  const required = properties.filter(([key]) => schema.required?.includes(key));
  const optional = properties.filter(([key]) => !schema.required?.includes(key));
  const field = ([key, of]: readonly [string, Schema]) => (
    <Field
      key={key}
      name={key}
      schema={of}
      value={keys[key]}
      path={[...path, key]}
      onChange={(next) => onChange(withKey(keys, key, next))}
    />
  );
  const set = optional.filter(([key]) => keys[key] !== undefined).map(([key]) => key);
  return (
    <>
      {required.map(field)}
      {optional.length > 0 && (
        <Folded path={path} keys={optional.map(([key]) => key)} title={`${optional.length} settings`} set={set}>
          {() => optional.map(field)}
        </Folded>
      )}
    </>
  );
}

/** Settings that open on demand, and by themselves where something in them is wrong. Closed ones are not built. */
function Folded({
  path,
  keys,
  title,
  set,
  children,
}: {
  readonly path: Path;
  readonly keys: readonly string[];
  readonly title: string;
  readonly set: readonly string[];
  readonly children: () => React.ReactNode;
}) {
  const [open, setOpen] = useState(false);
  const wrong = useFaults(path, true).some(({ path: at }) => keys.includes(String(at[path.length])));
  const shown = open || wrong;
  return (
    <details open={shown} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {title}
        {set.length > 0 && <span className="quiet"> · set: {set.join(", ")}</span>}
      </summary>
      {shown && <div className="keys">{children()}</div>}
    </details>
  );
}

/** A message, and the description, of a field that is no single input. */
function About({
  schema,
  path,
  keys,
}: {
  readonly schema: Schema;
  readonly path: Path;
  readonly keys?: readonly string[];
}) {
  // A key that is not known has no field of its own: its message stands here.
  const faults = useFaults(path, true).filter(({ path: at }) => {
    const next = at[path.length];
    return next === undefined || (keys !== undefined && typeof next === "string" && !keys.includes(next));
  });
  return (
    <>
      {schema.description !== undefined && <p className="hint">{schema.description}</p>}
      {faults.map(({ message }) => (
        <p key={message} className="fault">
          {message}
        </p>
      ))}
    </>
  );
}

function MappingField({ schema, value, onChange, path, name }: FieldProps) {
  return (
    <fieldset id={fieldId(path)} tabIndex={-1}>
      <legend>{name}</legend>
      <About schema={schema} path={path} keys={Object.keys(schema.properties ?? {})} />
      <Keys
        schema={schema}
        value={value}
        path={path}
        onChange={(next) => onChange(isMapping(next) && Object.keys(next).length === 0 ? undefined : next)}
      />
    </fieldset>
  );
}

function ChoiceField({ schema, value, onChange, path, name }: FieldProps) {
  const choice = kindsOf(schema);
  const { kind, keys } = partsOf(value);
  const id = fieldId(path);
  if (choice === undefined) return null;
  const member = choice.kinds.get(kind);
  return (
    <fieldset>
      <legend>{name}</legend>
      <About schema={schema} path={path} keys={["kind", ...Object.keys(member?.properties ?? {})]} />
      <label className="line" htmlFor={id}>
        <span>kind</span>
        <select id={id} value={kind} onChange={(event) => onChange(chosen(event.target.value, {}, choice))}>
          {member === undefined && <option value={kind}>{kind === "" ? "choose" : kind}</option>}
          {[...choice.kinds.keys()].map((of) => (
            <option key={of}>{of}</option>
          ))}
        </select>
      </label>
      {member !== undefined && (
        <Keys
          key={kind}
          schema={member}
          value={keys}
          path={path}
          onChange={(next) => onChange(chosen(kind, isMapping(next) ? next : {}, choice))}
        />
      )}
    </fieldset>
  );
}

function ListField({ schema, value, onChange, path, name, items }: FieldProps & { readonly items: Schema }) {
  const { root } = useContext(Form);
  const list = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const set = (next: readonly unknown[]) =>
    onChange(next.length === 0 && schema.default !== undefined ? undefined : next);
  return (
    <fieldset id={fieldId(path)} tabIndex={-1}>
      <legend>{name}</legend>
      <About schema={schema} path={path} />
      {value === undefined && schema.default !== undefined && (
        <p className="hint">by default {JSON.stringify(schema.default)}</p>
      )}
      {list.map((entry, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: entries have no name but their place
        <div className="entry" key={at}>
          <Field
            name={`${name} ${at + 1}`}
            schema={items}
            value={entry}
            path={[...path, at]}
            onChange={(next) => set(list.map((other, i) => (i === at ? next : other)))}
          />
          <button type="button" className="link" onClick={() => set(list.filter((_, i) => i !== at))}>
            Remove<span className="unseen"> {`${name} ${at + 1}`}</span>
          </button>
        </div>
      ))}
      <button type="button" onClick={() => set([...list, firstValue(items, root)])}>
        Add<span className="unseen"> to {name}</span>
      </button>
    </fieldset>
  );
}

/** Some of a fixed set of words: all by default. */
function SetField({ schema, value, onChange, path, name, of }: FieldProps & { readonly of: readonly string[] }) {
  const standard = (Array.isArray(schema.default) ? schema.default : []).map(String);
  const list = Array.isArray(value) ? value.map(String) : standard;
  const toggle = (word: string) => {
    const next = of.filter((other) => (other === word ? !list.includes(word) : list.includes(other)));
    onChange(next.join() === standard.join() ? undefined : next);
  };
  return (
    <fieldset id={fieldId(path)} tabIndex={-1}>
      <legend>{name}</legend>
      <About schema={schema} path={path} />
      <div className="set">
        {of.map((word) => (
          <label key={word} className="check">
            <input type="checkbox" checked={list.includes(word)} onChange={() => toggle(word)} />
            {word}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** One value: chosen, typed as a number or text, or, where it may be of several shapes, as YAML. */
function ValueField({ schema, value, onChange, path, name }: FieldProps) {
  const id = fieldId(path);
  const about = useId();
  const faults = useFaults(path, true);
  const described = {
    id,
    "aria-describedby": about,
    "aria-invalid": faults.length > 0,
  };
  const standard = schema.default === undefined ? "" : short(schema.default);
  return (
    <div className="field">
      <label className="line" htmlFor={id}>
        <span>{name}</span>
        {schema.enum !== undefined || schema.type === "boolean" ? (
          <select
            {...described}
            value={value === undefined ? "" : String(value)}
            onChange={(event) => onChange(event.target.value === "" ? undefined : read(event.target.value))}
          >
            <option value="">{standard === "" ? "not set" : `${standard} (default)`}</option>
            {(schema.enum ?? [true, false]).map((of) => (
              <option key={String(of)}>{String(of)}</option>
            ))}
          </select>
        ) : (
          <TextInput described={described} schema={schema} value={value} placeholder={standard} onChange={onChange} />
        )}
      </label>
      <div id={about}>
        {schema.description !== undefined && <p className="hint">{schema.description}</p>}
        {faults.map(({ message }) => (
          <p key={message} className="fault">
            {message}
          </p>
        ))}
      </div>
    </div>
  );
}

function TextInput({
  described,
  schema,
  value,
  placeholder,
  onChange,
}: {
  readonly described: object;
  readonly schema: Schema;
  readonly value: unknown;
  readonly placeholder: string;
  readonly onChange: (value: unknown) => void;
}) {
  const plain = schema.type === "string";
  // What is being typed stays as it is typed: `1e` on its way to `1e-4` is no number yet.
  const [typed, setTyped] = useState<string>();
  const written = value === undefined ? "" : plain ? String(value) : short(value);
  return (
    <input
      {...described}
      type="text"
      inputMode={schema.type === "integer" ? "numeric" : schema.type === "number" ? "decimal" : "text"}
      placeholder={placeholder}
      value={typed ?? written}
      onChange={(event) => {
        const text = event.target.value;
        setTyped(text);
        onChange(text === "" ? undefined : plain ? text : read(text));
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
}

/** A value as one line of YAML. */
function short(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trim();
}

/** What was typed, as YAML has it; as it is where it is no YAML. The server says what is wrong with it. */
function read(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return text;
  }
}
