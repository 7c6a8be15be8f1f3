import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a request goes wrong: the connection is cut half-way, or the server answers with this status and S3's name for it. */
export type S3Fault = "cut" | { readonly status: number; readonly code: string };

/** A server with one bucket that speaks the few verbs of S3 that a run store uses, with its rules for checksums and conditions. */
export interface S3Server {
  readonly endpoint: string;
  /** What lies in the bucket, by key. */
  readonly objects: Map<string, Buffer>;
  /** `PUT key` and the like, in the order in which they came. */
  readonly requests: string[];
  /** Asked about each request before it is answered. */
  fault: (method: string, key: string) => S3Fault | undefined;
  close(): Promise<void>;
}

/** The only bucket and access key that the server knows. */
export const BUCKET = "studies";
export const KEY_ID = "tester";
/** Keys that it lists on one page: few, so that there are several. */
const PAGE = 3;

export async function s3Server(): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    // A client that is cut has nobody to answer.
    answer(request, response).catch(() => response.destroy());
  });
  const self: S3Server = {
    endpoint: "",
    objects,
    requests,
    fault: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, "http://s3");
    const [bucket, ...rest] = decodeURIComponent(pathname).slice(1).split("/");
    const key = rest.join("/");
    const method = request.method!;
    requests.push(`${method} ${key}`);
    const refuse = (status: number, code: string) =>
      response.writeHead(status).end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
    const fault = self.fault(method, key);
    if (fault === "cut" && method === "PUT") {
      request.once("data", () => request.socket.destroy());
      return;
    }
    const body = Buffer.concat(await request.toArray());
    if (typeof fault === "object") refuse(fault.status, fault.code);
    else if (!request.headers.authorization?.includes(`Credential=${KEY_ID}/`)) refuse(403, "InvalidAccessKeyId");
    else if (bucket !== BUCKET) refuse(404, "NoSuchBucket");
    else if (method === "PUT") put(request, key, body, refuse, response);
    else if (method === "POST" && searchParams.has("delete")) {
      for (const [, name] of body.toString().matchAll(/<Key>(.*?)<\/Key>/g)) objects.delete(name!);
      response.end("<DeleteResult/>");
    } else if (method === "GET" && key === "") response.end(page(searchParams));
    else if (method === "GET") {
      const found = objects.get(key);
      if (found === undefined) refuse(404, "NoSuchKey");
      else if (fault === "cut") {
        response.writeHead(200, { "content-length": found.length }).write(found.subarray(0, found.length / 2));
        setTimeout(() => response.destroy(), 20);
      } else response.end(found);
    } else refuse(405, "MethodNotAllowed");
  }

  function put(
    { headers }: IncomingMessage,
    key: string,
    body: Buffer,
    refuse: (status: number, code: string) => void,
    response: ServerResponse,
  ): void {
    const sum = headers["x-amz-checksum-sha256"];
    if (sum !== undefined && sum !== createHash("sha256").update(body).digest("base64")) refuse(400, "BadDigest");
    else if (headers["if-none-match"] === "*" && objects.has(key)) refuse(412, "PreconditionFailed");
    else {
      objects.set(key, body);
      response.end();
    }
  }

  function page(search: URLSearchParams): string {
    const prefix = search.get("prefix") ?? "";
    const after = search.get("continuation-token") ?? "";
    const flat = search.get("delimiter") === "/";
    const keys = [...objects.keys()].filter(
      (key) => key.startsWith(prefix) && key > after && !(flat && key.slice(prefix.length).includes("/")),
    );
    const shown = keys.sort().slice(0, PAGE);
    const next = keys.length > PAGE ? `<NextContinuationToken>${shown.at(-1)}</NextContinuationToken>` : "";
    return `<ListBucketResult>${next}${shown.map((key) => `<Contents><Key>${key}</Key></Contents>`).join("")}</ListBucketResult>`;
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(self, { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
