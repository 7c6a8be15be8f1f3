import type { Context, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { getCookie, setCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import type { ErrorBody } from "./api.ts";
import { type Sessions, sameSecret } from "./sessions.ts";

/** Largest body of a request, in bytes: a study file is a page or two. */
export const MOST_BODY = 256 * 1024;

/** Who may ask this server. */
export interface GuardOptions {
  /** `host:port` as a Host header may say it, in lower case. */
  readonly hosts: ReadonlySet<string>;
  /** Asked for where others can reach the server: on another address than this machine's own, or under a further name. */
  readonly token: string | undefined;
  readonly sessions: Sessions;
  /** Name of the session's cookie. */
  readonly cookie: string;
  /** The Content-Security-Policy of every answer. */
  readonly policy: string;
}

const METHODS = new Set(["GET", "HEAD", "POST"]);

/** Answers that need no token: how to give one, and how that page looks. */
const OPEN = new Set(["/login", "/theme.css"]);

/** Everything that stands before a route, in the order in which it is asked. */
export function guards(options: GuardOptions): MiddlewareHandler[] {
  return [
    headers(options.policy),
    ownHost(options.hosts),
    ownPage(options.hosts),
    signedIn(options),
    bodyLimit({
      maxSize: MOST_BODY,
      onError: (c) => refuse(c, 413, `the request is larger than ${MOST_BODY / 1024} KiB`),
    }),
  ];
}

/** An answer that says why there is none. */
export function refuse(c: Context, status: 400 | 401 | 403 | 404 | 405 | 409 | 411 | 413 | 415, error: string) {
  return c.json({ error } satisfies ErrorBody, status);
}

/** The id that a request's cookie names. */
export function sessionOf(c: Context, cookie: string): string | undefined {
  return getCookie(c, cookie);
}

/**
 * Keeps the session in a cookie that scripts cannot read and other sites cannot send. It goes when the browser is closed. Where the page
 * came over TLS, from a proxy, it is sent over TLS alone.
 */
export function keepSession(c: Context, cookie: string, id: string): void {
  // The browser's own word, checked to be of this server: what proxies add can be made up by whoever asks without one.
  const secure = c.req.header("origin")?.toLowerCase().startsWith("https://") === true;
  setCookie(c, cookie, id, { httpOnly: true, sameSite: "Strict", path: "/", secure });
}

function headers(policy: string): MiddlewareHandler {
  return createMiddleware(async (c, next) => {
    await next();
    c.header("Content-Security-Policy", policy);
    c.header("X-Content-Type-Options", "nosniff");
    c.header("X-Frame-Options", "DENY");
    // Others hear nothing. This server must: under no-referrer, browsers keep a form's origin from it too, and signing in is refused.
    c.header("Referrer-Policy", "same-origin");
    c.header("Cross-Origin-Opener-Policy", "same-origin");
    c.header("Cross-Origin-Resource-Policy", "same-origin");
    if (c.res.headers.get("Cache-Control") === null) c.header("Cache-Control", "no-store");
  });
}

/** Refuses requests for another host: a foreign name that was made to point at this machine (DNS rebinding). */
function ownHost(hosts: ReadonlySet<string>): MiddlewareHandler {
  return createMiddleware(async (c, next) => {
    const host = c.req.header("host")?.toLowerCase() ?? "";
    if (!hosts.has(host)) return refuse(c, 403, "this server does not answer under that name");
    await next();
  });
}

/** Refuses requests that another site's page makes: by their Origin, by what the browser says of them, by the form of their body. */
function ownPage(hosts: ReadonlySet<string>): MiddlewareHandler {
  return createMiddleware(async (c, next) => {
    const { method, path } = c.req;
    if (!METHODS.has(method)) return refuse(c, 405, `${method} is not answered here`);
    const origin = c.req.header("origin");
    if (origin !== undefined && !isOwn(origin, hosts))
      return refuse(c, 403, "requests of other sites are not answered");
    const site = c.req.header("sec-fetch-site");
    const elsewhere = site !== undefined && site !== "same-origin" && site !== "none";
    // A link on another page may lead here; everything else that another page makes a browser ask for may not.
    const visit = method === "GET" && c.req.header("sec-fetch-dest") === "document" && !path.startsWith("/api/");
    if (elsewhere && !visit) return refuse(c, 403, "requests of other sites are not answered");
    // A body that says its length can be refused before any of it is read.
    if (c.req.header("transfer-encoding") !== undefined) return refuse(c, 411, "expected a Content-Length");
    // A form on another site cannot send this type without asking first, and is never allowed to.
    const type = c.req.header("content-type")?.split(";")[0]?.trim();
    if (method === "POST" && path !== "/login" && type !== "application/json")
      return refuse(c, 415, "expected a body of type application/json");
    await next();
  });
}

function isOwn(origin: string, hosts: ReadonlySet<string>): boolean {
  const [, host] = /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase()) ?? [];
  return host !== undefined && hosts.has(host);
}

function signedIn({ token, sessions, cookie }: GuardOptions): MiddlewareHandler {
  return createMiddleware(async (c, next) => {
    if (token === undefined || OPEN.has(c.req.path)) return next();
    const [, bearer] = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "") ?? [];
    const known = (bearer !== undefined && sameSecret(bearer, token)) || sessions.get(sessionOf(c, cookie)).signedIn;
    if (known) return next();
    if (c.req.method === "GET" && c.req.header("accept")?.includes("text/html")) return c.redirect("/login");
    return refuse(c, 401, "this server asks for its token: Authorization: Bearer TOKEN");
  });
}
