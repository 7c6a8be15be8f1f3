import { z } from "zod";

/** The setting of a GAN whose two networks may learn at two rates. */
export const criticRateSetting = z
  .number()
  .positive()
  .optional()
  .describe("learning rate of the critic; that of the generator where it is left out");
