import { attackAccuracy, attackAccuracyTop5 } from "./attack-accuracy.ts";
import { knnDistance, knnDistanceL2 } from "./knn-distance.ts";
import { naturalAccuracy } from "./natural-accuracy.ts";

/** Every metric. */
export const metrics = [naturalAccuracy, attackAccuracy, attackAccuracyTop5, knnDistance, knnDistanceL2] as const;
