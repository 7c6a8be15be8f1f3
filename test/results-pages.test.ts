import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const execute = promisify(execFile);

/** Pages whose numbers come from records, with what writes them and the studies that they are of. */
const PAGES = {
  "attacks.md": ["study-page", "examples/attacks.yaml"],
  "defenses.md": ["study-page", "examples/defenses.yaml"],
  "rivals.md": ["study-page", "examples/rivals.yaml"],
  "paper-resnet18.md": ["study-page", "studies/paper.yaml"],
  "paper-vgg16_bn.md": ["study-page", "studies/paper-vgg16_bn.yaml"],
  "paper-vgg16_bn-fisher.md": ["fisher-page", "studies/paper-vgg16_bn.yaml"],
  "paper-vit.md": ["study-page", "studies/paper-vit.yaml"],
  "paper-mnist.md": ["study-page", "studies/paper-mnist.yaml"],
  "paper-whitebox.md": ["study-page", "studies/paper-whitebox.yaml"],
  "paper-blackbox.md": ["study-page", "studies/paper-blackbox.yaml"],
  "paper-style.md": ["study-page", "studies/paper-style.yaml"],
  "paper-faces.md": ["study-page", "studies/paper-faces.yaml"],
  "paper.md": ["paper-page"],
  "rankings.md": ["rankings-page"],
  "fisher.md": ["fisher-page", "examples/fisher.yaml"],
  "frontier.md": [
    "frontier-page",
    "examples/frontier-resnet10.yaml",
    "examples/frontier-vgg16_bn.yaml",
    "examples/frontier-resnet18.yaml",
  ],
} as const;

describe("pages of results, with their figures, are what the committed records say", () => {
  for (const [page, [script, ...studies]] of Object.entries(PAGES)) {
    test(`${page} (else: npm run ${[script, ...(studies.length > 0 ? ["--", ...studies] : [])].join(" ")})`, () =>
      execute(process.execPath, [`scripts/${script}.mjs`, "--check", ...studies], { cwd: root }));
  }
});
