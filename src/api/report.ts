/** Reports: one HTML file of a study, its charts, and its findings as data. */
export * from "../report/charts.ts";
export * from "../report/index.ts";
