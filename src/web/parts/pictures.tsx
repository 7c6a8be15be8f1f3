import { percent } from "../../report/charts.ts";
import type { IdentityImages } from "../../server/api.ts";

/** Reconstructions of one identity, with the share of them that the evaluation model recognises. */
export function Pictures({ of, said }: { readonly of: IdentityImages | undefined; readonly said: string }) {
  if (of === undefined) return <span className="quiet">not attacked</span>;
  return (
    <span className="strip">
      {of.images.map((source, at) => (
        <img
          key={source}
          src={source}
          alt={`Reconstruction ${at + 1} of ${of.identity}, ${said}`}
          width={56}
          height={56}
          loading="lazy"
        />
      ))}
      {of.images.length === 0 && <span className="quiet">no pictures</span>}
      <span className="hit">{percent(of.attackAccuracy)}</span>
    </span>
  );
}

/** The identity's private image: only where the session asked for it. */
export function Reference({ of, show }: { readonly of: IdentityImages | undefined; readonly show: boolean }) {
  if (!show || of?.reference === undefined) return null;
  return <img className="reference" src={of.reference} alt={`${of.identity}, private`} width={56} height={56} />;
}
