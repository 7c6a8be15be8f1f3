import { tooSmall } from "../../attacks/least.ts";
import { UserError } from "../../engine/errors.ts";
import { type Choice, chosenAttack } from "../choose.ts";
import type { Study } from "../study-schema.ts";

/** What is chosen from must hold as many as are chosen; better said before anything is trained. @throws UserError where it does not. */
export function checkPools({ reconstructions: { perIdentity, pool }, attacks }: Study): void {
  if (pool < perIdentity)
    throw new UserError(`reconstructions.pool: ${pool} latents are too few to choose ${perIdentity} for each identity`);
  for (const [i, choice] of attacks.entries()) {
    const { member, config } = chosenAttack(choice as Choice);
    const [short] = tooSmall(config, member.least?.(config, perIdentity) ?? {});
    if (short === undefined) continue;
    const { path, value, least } = short;
    throw new UserError(
      `${[`attacks[${i}]`, ...path].join(".")}: ${value} are too few to choose ${least} of for each identity; at least ${least} are wanted`,
    );
  }
}
