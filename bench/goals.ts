import type { Goals } from "./case.ts";

/** What each kind of work must reach: speed as a ratio to PyTorch's strongest form, and share of the measured peak. */
export const GOALS = {
  attack: { tuned: 1.3, default: 2.5, peak: 0.75 },
  frozen: { tuned: 1.2, default: 1.7, peak: 0.75 },
  epoch: { tuned: 5 },
  full: { tuned: 1, default: 2, peak: 0.6 },
  gan: { tuned: 1, default: 2 },
  bido: { tuned: 2 },
  fisher: { tuned: 2 },
  start: { seconds: 0.3 },
} as const satisfies Record<string, Goals>;
