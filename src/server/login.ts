import { setTimeout } from "node:timers/promises";
import type { Hono } from "hono";
import { html, toMarkup } from "../report/escape.ts";
import { type GuardOptions, keepSession } from "./guard.ts";
import { sameSecret } from "./sessions.ts";

/** Milliseconds that a wrong token costs whoever tries. */
const WRONG_MS = 500;

const page = (wrong: boolean) =>
  toMarkup(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in – tl-dmi</title>
<link rel="stylesheet" href="/theme.css">
</head>
<body>
<main class="login">
<h1>tl-dmi</h1>
<form method="post" action="/login">
<label for="token">Token</label>
<input id="token" name="token" type="password" required autocomplete="off" ${wrong ? html`aria-invalid="true" aria-describedby="wrong"` : ""}>
${wrong ? html`<p id="wrong" role="alert">That is not the token that the server printed.</p>` : ""}
<button>Sign in</button>
</form>
</main>
</body>
</html>
`);

/** The page that asks for the token, where there is one. */
export function addLogin(app: Hono, { token, sessions, cookie }: GuardOptions): void {
  if (token === undefined) return;
  app.get("/login", (c) => c.html(page(false)));
  app.post("/login", async (c) => {
    const { token: given } = await c.req.parseBody();
    if (typeof given !== "string" || !sameSecret(given, token)) {
      await setTimeout(WRONG_MS);
      return c.html(page(true), 401);
    }
    // A new id: one from before the token was given may be known to others.
    keepSession(c, cookie, sessions.set(undefined, { signedIn: true }));
    return c.redirect("/", 303);
  });
}
