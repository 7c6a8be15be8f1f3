/** What a command of a page names that is large or elsewhere, and the small thing of a `ReaderFolder` in its place. */
const STAND_INS: readonly (readonly [RegExp, string])[] = [
  [/^examples\/frontier-[\w-]+\.yaml$|^STUDY\.yaml$/, "frontier.yaml"],
  [/^(?:(?:examples|studies)\/)?[\w-]+\.yaml$|^FILE$/, "study.yaml"],
  [/^runs\/[^/]+\/cells\/(?:none.*|CELL)$/, "UNDEFENDED"],
  [/^runs\/[^/]+\/cells\/tl-dmi.*$/, "DEFENDED"],
  [/^runs\/(?:[^/]+-[0-9a-f]{8}|STUDY)$|^\$folder$|^FOLDER$/, "STUDY"],
  [/^[a-z]+\.onnx$/, "model.onnx"],
  [/^\/shared\/runs$/, "runs"],
  [/^kedmi$/, "gmi"],
  [/^answers-\*\.json$/, "answers.json"],
  [/^0\.0\.0\.0$/, "127.0.0.1"],
  // Nobody listens there: the run says so and goes on.
  [/^https:\/\/mlflow\.example:5000$/, "http://127.0.0.1:1"],
];

/** Options without which a command would take its usual minutes, or a port that may be in use. */
const SMALL: Readonly<Record<string, readonly string[]>> = {
  audit: ["--settings", "settings.yaml", "--attacks", "gmi"],
  defend: ["--settings", "settings.yaml"],
  serve: ["--port", "0"],
  fisher: ["--identities", "2", "--points", "2"],
};

/** A command's words with small things in them. `STUDY`, `UNDEFENDED` and `DEFENDED` are left: folders whose names a run makes up. */
export function standIn(words: readonly string[]): string[] {
  const small = words.map((word) => STAND_INS.find(([pattern]) => pattern.test(word))?.[1] ?? word);
  return [...small, ...words.flatMap((word) => SMALL[word] ?? [])];
}
