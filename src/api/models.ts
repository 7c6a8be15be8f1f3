/** Models: the list, what a model is, its layers, training and prediction. */
export * from "../models/answers.ts";
export * from "../models/bind.ts";
export * from "../models/feed.ts";
export * from "../models/forward.ts";
export * from "../models/index.ts";
export * from "../models/initial.ts";
export * from "../models/layer.ts";
export * from "../models/layers.ts";
export * from "../models/model.ts";
export * from "../models/predict.ts";
export * from "../models/train.ts";
export * from "../models/training.ts";
