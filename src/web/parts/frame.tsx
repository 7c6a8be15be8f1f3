import { type ReactNode, useEffect } from "react";
import type { SessionView } from "../../server/api.ts";
import { ask } from "../ask.ts";

/** Head, title and main part of every page. */
export function Frame({
  title,
  kicker,
  session,
  onSession,
  children,
}: {
  readonly title: string;
  readonly kicker?: ReactNode | undefined;
  /** Where the page has private images to show: whether this session asked for them. */
  readonly session?: SessionView | undefined;
  readonly onSession?: (() => void) | undefined;
  readonly children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} – tl-dmi`;
  }, [title]);
  const here = location.pathname;
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <header className="bar">
        <a className="brand" href="/">
          tl-dmi
        </a>
        <nav aria-label="Pages">
          <a href="/" aria-current={here === "/" ? "page" : undefined}>
            Runs
          </a>
          <a href="/new" aria-current={here === "/new" ? "page" : undefined}>
            New study
          </a>
        </nav>
      </header>
      <main id="main" tabIndex={-1}>
        {kicker !== undefined && <p className="kicker">{kicker}</p>}
        <h1>{title}</h1>
        {session !== undefined && <PrivateImages session={session} onChange={onSession ?? (() => {})} />}
        {children}
      </main>
    </>
  );
}

/** The opt-in for private images: off unless this session asks, and said plainly while it is on. */
function PrivateImages({ session, onChange }: { readonly session: SessionView; readonly onChange: () => void }) {
  const { showPrivate } = session;
  return (
    <p className={showPrivate ? "private shown" : "private"}>
      {showPrivate
        ? "Private images are shown in this session. Mind who sees this screen. "
        : "Private images are hidden. "}
      <button
        type="button"
        className="link"
        onClick={() => void ask("/api/session", { showPrivate: !showPrivate }).then(onChange)}
      >
        {showPrivate ? "Hide private images" : "Show private images in this session"}
      </button>
    </p>
  );
}

/** A message that matters, read out when it comes. */
export function Alert({ children }: { readonly children: ReactNode }) {
  return (
    <p className="alert" role="alert">
      {children}
    </p>
  );
}
