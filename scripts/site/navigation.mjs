// The site's one navigation: every page, under its group, in the order of docs/README.md. Titles are the pages' own first headings;
// a file that has none bears its name. The build fails for a page of docs/ that is not here.

export const navigation = [
  { group: "Start", files: ["README.md", "docs/README.md", "docs/tutorial.md"] },
  {
    group: "How to",
    files: [
      "docs/audit.md",
      "docs/howto/own-data.md",
      "docs/howto/own-model.md",
      "docs/fisher.md",
      "docs/frontier.md",
      "docs/howto/own-attack.md",
      "docs/ci.md",
      "docs/cluster.md",
      "docs/scale.md",
      "docs/serve.md",
      "docs/tracking.md",
      "docs/judges.md",
      "docs/adaptive-attacker.md",
      "configs/papers/README.md",
    ],
  },
  { group: "To understand", files: ["docs/method.md", "docs/numbers.md", "docs/comparison.md"] },
  {
    group: "To look up",
    files: [
      "docs/results/paper.md",
      "docs/results/paper-mnist.md",
      "docs/results/attacks.md",
      "docs/results/defenses.md",
      "docs/results/rankings.md",
      "docs/results/rivals.md",
      "docs/results/frontier.md",
      "docs/results/fisher.md",
      "docs/performance.md",
      "docs/commands.md",
      "docs/study-file.md",
      "FEATURES.md",
      "docs/conformance.md",
      "docs/imported-models.md",
      "schema/study.schema.json",
      "schema/result.schema.json",
    ],
  },
  { group: "Examples", files: ["examples/README.md", "studies/README.md"] },
  { group: "The project", files: ["CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "bench/README.md", "LICENSE"] },
];
