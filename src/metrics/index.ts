import { attackAccuracy, attackAccuracyTop5 } from "./attack-accuracy.ts";
import { coverage, density } from "./density-coverage.ts";
import { evaluationConfidence } from "./evaluation-confidence.ts";
import { fid } from "./fid.ts";
import { knnDistance, knnDistanceL2 } from "./knn-distance.ts";
import { knowledgeExtraction } from "./knowledge-extraction.ts";
import { meanDistance } from "./mean-distance.ts";
import { naturalAccuracy } from "./natural-accuracy.ts";
import { perceptualDistance } from "./perceptual-distance.ts";
import { precision, recall } from "./precision-recall.ts";
import { psnr } from "./psnr.ts";
import { ssim } from "./ssim.ts";

/** Every metric. */
export const metrics = [
  naturalAccuracy,
  attackAccuracy,
  attackAccuracyTop5,
  evaluationConfidence,
  knnDistance,
  knnDistanceL2,
  meanDistance,
  fid,
  precision,
  recall,
  density,
  coverage,
  ssim,
  psnr,
  perceptualDistance,
  knowledgeExtraction,
] as const;
