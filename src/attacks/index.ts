import { brepMi } from "./brep-mi.ts";
import { c2f } from "./c2f.ts";
import { gmi } from "./gmi.ts";
import { ifGmi } from "./if-gmi.ts";
import { kedmi } from "./kedmi.ts";
import { knowsPrefix } from "./knows-prefix.ts";
import { lokt } from "./lokt.ts";
import { miFace } from "./mi-face.ts";
import { mirror } from "./mirror.ts";
import { mirrorGa } from "./mirror-ga.ts";
import { plgMi } from "./plg-mi.ts";
import { ppa } from "./ppa.ts";
import { ppdgMi } from "./ppdg-mi.ts";
import { rlbMi } from "./rlb-mi.ts";
import { vmi } from "./vmi.ts";

/** Every attack. */
export const attacks = [
  miFace,
  gmi,
  kedmi,
  plgMi,
  knowsPrefix,
  ppa,
  mirror,
  mirrorGa,
  c2f,
  rlbMi,
  vmi,
  ifGmi,
  ppdgMi,
  brepMi,
  lokt,
] as const;
