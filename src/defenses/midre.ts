import { Erasing } from "../data/erase.ts";
import { defineDefense } from "./defense.ts";

/**
 * Random erasing as a defense: the model never sees a whole private image. The paper's sizes are not public; an area of 0.1 to 0.4
 * in every image is this project's choice.
 */
export const midre = defineDefense({
  kind: "midre",
  summary: "covers a random rectangle of every training image, so that no whole private image is seen",
  paper: "Tran et al., Defending against Model Inversion Attacks via Random Erasing, TMLR 2025",
  config: Erasing,
  recipe: (erasing) => ({ erasing }),
});
