import { z } from "zod";
import type { Listed } from "./modules.ts";

/** A member's plain facts (kind, summary, paper, access …), its keys in a study file as a JSON Schema, and its presets of them. */
export function described(member: Listed): unknown {
  const facts = Object.entries(member).filter(([, value]) => ["string", "number", "boolean"].includes(typeof value));
  const config = member.config && z.toJSONSchema(member.config, { io: "input", unrepresentable: "any" });
  const presets = member.quick && { presets: { quick: member.quick } };
  return { ...Object.fromEntries(facts), ...(config === undefined ? {} : { config }), ...presets };
}
