import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assetsFolder } from "./assets.ts";

/** The study of `tldmi demo`. */
export const demoStudy: string = fileURLToPath(new URL("../../examples/demo.yaml", import.meta.url));

/** Name of the folder in the package's assets that only the demo looks in. */
export const DEMO = "demo";

/**
 * Folder of the demo's trained targets. They are the quickstart's own, and apart from the other assets so that nothing but the demo
 * finds them: the quickstart is there to train them.
 */
export const demoAssets: string = join(assetsFolder, DEMO);
