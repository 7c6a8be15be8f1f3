export { type AuditFacts, type AuditOptions, plainName, runAudit } from "./audit.ts";
export { type DefendFacts, type DefendOptions, runDefend } from "./defend.ts";
