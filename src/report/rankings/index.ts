export { rankingsPage } from "./page.ts";
export { publishedTables } from "./published.ts";
export { readStandings } from "./standings.ts";
