import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { JudgeRequest } from "../../src/metrics/http-judge.ts";

/** One answer of a judge's server: its status and body. */
export interface Reply {
  readonly status?: number;
  readonly body?: string;
  /** Never answers. */
  readonly silent?: boolean;
}

/** A judge on this machine that answers as it is told. */
export interface JudgeServer {
  readonly endpoint: string;
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: JudgeRequest }[];
  close(): Promise<void>;
}

/** Starts a judge. @param reply its answer to the n-th request, counted from 0 */
export async function judgeServer(reply: (body: JudgeRequest, n: number) => Reply): Promise<JudgeServer> {
  const requests: JudgeServer["requests"] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as JudgeRequest;
    requests.push({ headers: request.headers, body });
    const { status = 200, body: text = "", silent = false } = reply(body, requests.length - 1);
    if (silent) return;
    response.writeHead(status, { "content-type": "application/json" }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/same`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
