import { atAt } from "./at-at.ts";
import { bidoCoco } from "./bido-coco.ts";
import { bidoHsic } from "./bido-hsic.ts";
import { dpSgd } from "./dp-sgd.ts";
import { labelSmoothing } from "./label-smoothing.ts";
import { lowRank } from "./low-rank.ts";
import { mid } from "./mid.ts";
import { midre } from "./midre.ts";
import { none } from "./none.ts";
import { rolss } from "./rolss.ts";
import { round } from "./round.ts";
import { sca } from "./sca.ts";
import { ssd } from "./ssd.ts";
import { ssf } from "./ssf.ts";
import { tlDmi } from "./tl-dmi.ts";
import { top1 } from "./top-1.ts";
import { trapMid } from "./trap-mid.ts";
import { tts } from "./tts.ts";

/** Every defense. */
export const defenses = [
  none,
  tlDmi,
  labelSmoothing,
  bidoHsic,
  bidoCoco,
  mid,
  midre,
  rolss,
  ssf,
  tts,
  lowRank,
  dpSgd,
  atAt,
  trapMid,
  sca,
  round,
  top1,
  ssd,
] as const;
