/** The `data` of a study file whose steps take a second or two: four drawn people on 32×32, with so many images of each held back. */
export function smallFaces({ validation, test }: { readonly validation: number; readonly test: number }): string {
  return `data:
  kind: faces
  size: 32
  identities: 4
  family: 2
  train: 6
  validation: ${validation}
  test: ${test}
  public: { identities: 8, images: 2 }
  pretraining: { kind: faces, classes: 4, images: 5 }
  evaluation: 2`;
}
