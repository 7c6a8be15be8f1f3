import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** Sessions kept at most; the oldest goes first. */
const MOST_SESSIONS = 500;

/** What the server remembers of a browser until it ends: nothing of it is written down. */
interface Session {
  readonly signedIn: boolean;
  readonly showPrivate: boolean;
}

/** The sessions of one server. */
export interface Sessions {
  /** The value of a request's cookie, or undefined: what that session may see. */
  get(id: string | undefined): Session;
  /** Changes a session, or begins one where there is none. Returns its id, 256 random bits in hexadecimal. */
  set(id: string | undefined, change: Partial<Session>): string;
}

const NOTHING: Session = { signedIn: false, showPrivate: false };

export function openSessions(): Sessions {
  const sessions = new Map<string, Session>();
  return {
    get: (id) => (id === undefined ? NOTHING : (sessions.get(id) ?? NOTHING)),
    set(id, change) {
      // An id that this server did not give out is not taken over.
      const known = id !== undefined && sessions.has(id) ? id : randomBytes(32).toString("hex");
      sessions.set(known, { ...(sessions.get(known) ?? NOTHING), ...change });
      const [oldest] = sessions.keys();
      if (sessions.size > MOST_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      return known;
    },
  };
}

/** Whether two secrets are the same, in a time that does not depend on where they differ. */
export function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
