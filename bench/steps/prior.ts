import type { StateDict } from "../../src/engine/store.ts";
import { dcgan } from "../../src/priors/dcgan.ts";
import { kedmi, kedmiNetworks } from "../../src/priors/kedmi.ts";
import { plg } from "../../src/priors/plg.ts";
import type { Prior, PriorNetworks } from "../../src/priors/prior.ts";
import type { AttackSpec, GanSpec, PlgGanSpec } from "../case.ts";

/** The settings of the priors with which the cases are built: the papers' but for the width. */
export const dcganSettings = (width: number) => dcgan.config.parse({ width });
export const plgSettings = (width: number) => plg.config.parse({ width });
const kedmiSettings = (width: number) => kedmi.config.parse({ width });

/** The networks in which an attack searches, or which a GAN's step trains. */
export function priorNetworks(spec: AttackSpec | GanSpec | PlgGanSpec): PriorNetworks {
  const image = [3, spec.side, spec.side] as const;
  if (spec.kind === "kedmi") return kedmiNetworks(kedmiSettings(spec.priorWidth), image, spec.classes);
  if (spec.kind === "gmi" || !("classes" in spec))
    return dcgan.networks(dcganSettings(spec.priorWidth), { image, classes: 0 });
  return plg.networks(plgSettings(spec.priorWidth), { image, classes: spec.classes });
}

/** The prior of an attack, its weights in `state` under `generator/` and `discriminator/`. */
export function priorOf(spec: AttackSpec, state: StateDict): Prior {
  const kinds = { gmi: "dcgan", kedmi: "kedmi", "plg-mi": "plg" } as const;
  return { kind: kinds[spec.kind], networks: priorNetworks(spec), state };
}
