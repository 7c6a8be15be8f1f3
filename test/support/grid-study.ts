/** Twelve cells at their smallest: two seeds, two defenses, three attacks. */
export const GRID_STUDY = `name: twelve
seeds: [1, 2]
data:
  kind: faces
  size: 32
  identities: 4
  family: 2
  train: 6
  validation: 2
  test: 3
  public: { identities: 16, images: 2 }
  pretraining: { kind: faces, classes: 5, images: 5 }
  evaluation: 6
model: { kind: resnet10, width: 4 }
pretraining: { epochs: 2, batch: 8 }
training: { epochs: 2, batch: 8 }
evaluation: { model: { kind: resnet10, width: 6 }, training: { epochs: 2, batch: 8 } }
priors:
  - { kind: dcgan, latent: 6, width: 4, steps: 4, critic: 1, batch: 8, average: 0.5 }
defenses:
  - none
  - { kind: tl-dmi, freeze: layer2 }
attacks:
  - { kind: gmi, iterations: 60, batch: 8 }
  - { kind: gmi, iterations: 20, batch: 8, identityLoss: max-margin }
  - { kind: mi-face, iterations: 20 }
reconstructions: { perIdentity: 2, pool: 8 }
`;
