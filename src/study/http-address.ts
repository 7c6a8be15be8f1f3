/**
 * A server's address; undefined for what is none, or has a user or password in it: those would be printed with it, and belong into the
 * environment.
 */
export function httpAddress(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const http = url?.protocol === "http:" || url?.protocol === "https:";
  return http && url.username === "" && url.password === "" ? url : undefined;
}
