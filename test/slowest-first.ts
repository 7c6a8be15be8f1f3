import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files of more than five seconds, longest first. */
const SLOW = [
  "test/study.test.ts",
  "test/page.test.ts",
  "test/contract/defense-effects.test.ts",
  "test/contract/defenses.test.ts",
  "test/contract/attacks.test.ts",
  "test/cluster.test.ts",
  "test/contract/models.test.ts",
  "test/contract/priors.test.ts",
  "test/audit.test.ts",
  "src/cluster/bullmq-queue.test.ts",
  "src/cluster/dispatch.test.ts",
  "test/hostile-cli.test.ts",
  "test/frontier.test.ts",
  "src/priors/train-tacgan.test.ts",
  "test/fisher.test.ts",
  "test/records.test.ts",
  "test/artifacts.test.ts",
  "test/studies.test.ts",
  "src/study/lock.test.ts",
  "test/engine/graph-size.test.ts",
  "test/docs.test.ts",
  "test/site.test.ts",
  "test/howto.test.ts",
  "test/images-study.test.ts",
  "src/priors/stylegan.test.ts",
  "src/data/faces/store.test.ts",
];

const rank = ({ moduleId }: TestSpecification) => {
  const at = SLOW.findIndex((path) => moduleId.endsWith(path));
  return at < 0 ? SLOW.length : at;
};

/**
 * Runs long files first: one that began last would run alone at the end, beside idle workers. Vitest knows how long files took from
 * the run before, and a fresh checkout has none. Files with a process of their own are few and short, and go before all others, so that
 * the processes of those are not ended and begun anew in between.
 */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const together = ({ project }: TestSpecification) => Number(!project.config.isolate);
    return files.toSorted((a, b) => together(a) - together(b) || rank(a) - rank(b));
  }
}
