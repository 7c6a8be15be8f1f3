import { densenet121, densenet161, densenet169 } from "./densenet.ts";
import { efficientnetB0, efficientnetB1, efficientnetB2, efficientnetB3 } from "./efficientnet.ts";
import { inceptionResnetV1 } from "./inception-resnet-v1.ts";
import { inceptionV3 } from "./inception-v3.ts";
import { ir50, ir152 } from "./ir.ts";
import { maxvitT } from "./maxvit.ts";
import { mobilenetV2 } from "./mobilenet-v2.ts";
import { onnx } from "./onnx.ts";
import { resnest50 } from "./resnest.ts";
import { resnet10, resnet18, resnet34, resnet50, resnet101, resnet152 } from "./resnet.ts";
import { swinT } from "./swin.ts";
import { vgg11Bn, vgg13Bn, vgg16Bn, vgg19Bn } from "./vgg.ts";
import { vitB16 } from "./vit.ts";

/** Every architecture. */
export const models = [
  vgg16Bn,
  resnet18,
  resnet10,
  vgg11Bn,
  vgg13Bn,
  vgg19Bn,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
  resnest50,
  densenet121,
  densenet161,
  densenet169,
  mobilenetV2,
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  inceptionV3,
  vitB16,
  swinT,
  maxvitT,
  ir50,
  ir152,
  inceptionResnetV1,
  onnx,
] as const;
