import { faces } from "./faces.ts";
import { folder } from "./folder.ts";
import { mnist } from "./mnist.ts";

/** All data sources that a study file can name. */
export const dataSources = [faces, mnist, folder] as const;
