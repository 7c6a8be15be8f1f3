export { type AttributeRow, attributeRows, attributesChart } from "./charts/attributes.ts";
export { type CurvePanel, curveChart, curvePanels, dashOf } from "./charts/curves.ts";
export { fisherChart } from "./charts/fisher.ts";
export { frontierChart } from "./charts/frontier.ts";
export { type IdentityPair, identitiesChart, identityAccuracies, identityPairs } from "./charts/identities.ts";
export { colorOf, colorsDiffer, FONT_FAMILY, symbolOf } from "./charts/look.ts";
export { utilityLeakageChart } from "./charts/utility-leakage.ts";
export { count, duration, fixed, percent, percentWithInterval, significant } from "./numbers.ts";
