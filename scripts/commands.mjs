// Writes docs/commands.md, every command with its options and defaults, from the program. Run it after `npm run build`.
import { fileURLToPath } from "node:url";
import { commandPage } from "../dist/cli/command-page.js";
import { writeFileAtomic } from "../dist/engine/atomic-file.js";
import { formatted } from "./results-text.mjs";

await writeFileAtomic(fileURLToPath(new URL("../docs/commands.md", import.meta.url)), formatted(commandPage()));
