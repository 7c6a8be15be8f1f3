import { brepMi } from "./brep-mi.ts";
import { gmi } from "./gmi.ts";
import { kedmi } from "./kedmi.ts";
import { lokt } from "./lokt.ts";
import { miFace } from "./mi-face.ts";
import { mirror } from "./mirror.ts";
import { mirrorGa } from "./mirror-ga.ts";
import { plgMi } from "./plg-mi.ts";
import { ppa } from "./ppa.ts";

/** Every attack. */
export const attacks = [miFace, gmi, kedmi, plgMi, ppa, mirror, mirrorGa, brepMi, lokt] as const;
