import { beatsFloors, type Floored } from "../study/floors.ts";

/** What pages say of `floorMark`. */
export const FLOOR_MARK_LEGEND =
  "≈ marks an attack not shown to lie above both floors (intervals overlap, or that of the difference holds zero).";

/** ` ≈` behind the accuracy of an attack that is not shown to lie above both of its floors. */
export const floorMark = (attacked: Floored): string => (beatsFloors(attacked) ? "" : " ≈");
