/** Reports: one HTML file of a study, its charts, its findings as data, gates, comparisons, explanations, and user studies. */
export * from "../report/charts.ts";
export * from "../report/decide.ts";
export * from "../report/gate/index.ts";
export * from "../report/index.ts";
export * from "../report/user-study/index.ts";
