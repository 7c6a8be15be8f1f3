import type { CellResult } from "../study/result.ts";

/**
 * Why numbers of two cells must not stand side by side: other private images, another evaluation model, other attacked identities. Empty where
 * they may; of cells that do not say which images and judge they rest on, the identities alone are compared.
 */
export function otherGround(a: CellResult, b: CellResult): string[] {
  const faults: string[] = [];
  if (a.basis !== undefined && b.basis !== undefined) {
    if (a.basis.train !== b.basis.train) faults.push("other data: the private training images differ");
    if (a.basis.test !== b.basis.test) faults.push("other data: the private test images differ");
    if (a.basis.evaluationModel !== b.basis.evaluationModel) {
      const kinds = [a, b].map(({ evaluationModel }) => evaluationModel.kind);
      const how = kinds[0] === kinds[1] ? `${kinds[0]} both, trained differently` : kinds.join(" and ");
      faults.push(`another evaluation model (${how}): attack accuracy and distances are its word`);
    }
  }
  if (attacked(a) !== attacked(b)) faults.push("other identities were attacked");
  return faults;
}

const attacked = ({ identities }: CellResult): string =>
  identities
    .map(({ identity }) => identity)
    .sort()
    .join("\n");
