import { smallFaces } from "./small-faces.ts";

/** A study of a target without a defense and one with TL-DMI, small enough for a second or two. */
export const twoTargetsStudy = (name: string, attacks: string, perIdentity: number) => `name: ${name}
${smallFaces({ validation: 1, test: 2 })}
model: { kind: resnet10, width: 4 }
pretraining: { epochs: 1, batch: 8 }
training: { epochs: 1, batch: 8 }
evaluation: { model: { kind: resnet18, width: 4 }, training: { epochs: 1, batch: 8 } }
priors: [{ kind: dcgan, latent: 6, width: 4, steps: 2, critic: 1, batch: 8 }]
defenses: [none, { kind: tl-dmi, freeze: layer2 }]
attacks: [${attacks}]
reconstructions: { perIdentity: ${perIdentity}, pool: 4 }
`;
