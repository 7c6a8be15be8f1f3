// The compiler writes files that may only be read; `npx tldmi` in a checkout runs this one.
import { chmodSync } from "node:fs";

chmodSync(new URL("../dist/cli/main.js", import.meta.url), 0o755);
