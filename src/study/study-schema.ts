import type { z } from "zod";
import { attacks } from "../attacks/index.ts";
import { dataSources } from "../data/index.ts";
import { defenses } from "../defenses/index.ts";
import { metrics } from "../metrics/index.ts";
import { models } from "../models/index.ts";
import { TrainingSettings } from "../models/training.ts";
import { priors } from "../priors/index.ts";
import { studySchema } from "./schema.ts";

/** The schema of study files over everything that this package has. */
export const StudySchema = studySchema({
  data: dataSources,
  models,
  priors,
  defenses,
  attacks,
  metrics,
  training: TrainingSettings.prefault({}),
});

/** A resolved study: every default filled in. */
export type Study = z.output<typeof StudySchema>;
