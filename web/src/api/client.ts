// The API as typed calls. The types are made from the server's own OpenAPI document when the dashboard is built.
import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
let csrf = "";

/** What the session wants repeated with every change. */
export function rememberCsrf(value: string): void {
  csrf = value;
}

const repeated: Middleware = {
  onRequest({ request }) {
    if (!SAFE.has(request.method) && csrf) request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
};

export const api = createClient<paths>({ baseUrl: "/" });
api.use(repeated);

export interface Fault {
  field: string;
  text: string;
  remedy: string;
  line?: number;
  column?: number;
  file?: string;
}

/** A problem document (RFC 9457) of the server, or that it could not be reached (status 0). */
export class ProblemError extends Error {
  readonly status: number;
  readonly remedy: string;
  readonly host: string;
  readonly faults: Fault[];

  constructor(status: number, document: unknown) {
    const found = (typeof document === "object" && document !== null ? document : {}) as Record<
      string,
      unknown
    >;
    super(String(found.detail ?? found.title ?? `the server answered with status ${status}`));
    this.status = status;
    this.remedy = String(found.remedy ?? "");
    this.host = String(found.host ?? "");
    this.faults = Array.isArray(found.errors) ? found.errors.map(faultOf) : [];
  }
}

function faultOf(item: Record<string, unknown>): Fault {
  const number = (value: unknown) => (typeof value === "number" ? value : undefined);
  return {
    field: String(item.path ?? ""),
    text: String(item.message ?? ""),
    remedy: String(item.remedy ?? ""),
    line: number(item.line) || undefined,
    column: number(item.column) || undefined,
    file: typeof item.file === "string" ? item.file : undefined,
  };
}

interface Reply<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The document of an answer. Throws ProblemError. */
export async function must<T>(asked: Promise<Reply<T>>): Promise<T> {
  const { data, error, response } = await reached(asked);
  if (!response.ok) throw new ProblemError(response.status, error);
  return data as T;
}

async function reached<T>(asked: Promise<Reply<T>>): Promise<Reply<T>> {
  try {
    return await asked;
  } catch {
    throw new ProblemError(0, {
      detail: "the server cannot be reached",
      remedy: "look whether `raijin serve` still runs",
    });
  }
}

/** A key that lets a request be sent again without being done twice. */
export function onceOnly(): { "Idempotency-Key": string } {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return { "Idempotency-Key": Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}
