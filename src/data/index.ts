import { celeba } from "./celeba.ts";
import { facescrub, pubfig, stanfordDogs, vggface2 } from "./class-folders.ts";
import { csv } from "./csv.ts";
import { faces } from "./faces.ts";
import { ffhq } from "./ffhq.ts";
import { folder } from "./folder.ts";
import { mnist } from "./mnist.ts";
import { parquet } from "./parquet.ts";
import { cifar10, emnist, fashionMnist } from "./small-images.ts";

/** All data sources that a study file can name. */
export const dataSources = [
  faces,
  mnist,
  folder,
  celeba,
  facescrub,
  vggface2,
  pubfig,
  stanfordDogs,
  fashionMnist,
  emnist,
  cifar10,
  csv,
  ffhq,
  parquet,
] as const;
