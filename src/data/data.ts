import type { z } from "zod";
import type { StudyData } from "./dataset.ts";

/** What a data source may use while it loads. */
export interface DataContext {
  /** Folder for caches that may be deleted at any time; they are written under a temporary name, then renamed. */
  readonly cacheDir: string;
  /** Seed of the study's data: splits and procedural sets follow from it alone. */
  readonly seed: number;
  /** When aborted, long work stops and throws the signal's reason; nothing half-written is left. */
  readonly signal?: AbortSignal;
  /** Told about long work: `done` of `total` units. */
  readonly progress?: (done: number, total: number, what: string) => void;
}

/** A source of study data: one file in this folder, one line in `index.ts`. */
export interface DataSource<Kind extends string = string, Schema extends z.ZodObject = z.ZodObject> {
  readonly kind: Kind;
  readonly summary: string;
  /** The source's keys in a study file (`kind` is added by the list). Every default lives here. */
  readonly config: Schema;
  /** @throws UserError for a missing folder, an unreadable image, a class without images; the signal's reason when it is aborted. */
  load(config: z.output<Schema>, context: DataContext): Promise<StudyData>;
}

/** Declares a data source; only fixes the types. */
export function defineData<const Kind extends string, Schema extends z.ZodObject>(
  source: DataSource<Kind, Schema>,
): DataSource<Kind, Schema> {
  return source;
}
