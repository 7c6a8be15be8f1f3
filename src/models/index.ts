import { onnx } from "./onnx.ts";
import { resnet10, resnet18 } from "./resnet.ts";
import { vgg16Bn } from "./vgg.ts";

/** Every architecture. */
export const models = [vgg16Bn, resnet18, resnet10, onnx] as const;
