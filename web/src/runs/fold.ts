// What the events of a run make of its steps and of its log: pure, so that it can be tested without a browser.
import type { Schemas } from "../api/client.ts";

/** An event as the server sends it, by the fields that are looked at. */
export type RunEvent = Pick<Schemas["EventLine"], "id" | "kind" | "step" | "host" | "at" | "data">;

export type StepState = "waiting" | "running" | "done" | "failed" | "skipped" | "cancelled";

/** started: seconds since the epoch. doing: the operation in hand. */
export interface Progress {
  state: StepState;
  started: number | null;
  seconds: number | null;
  doing: string;
}

export interface Line {
  id: number;
  at: number;
  host: string;
  text: string;
  tone: "plain" | "good" | "bad";
}

/** status: of the whole run, empty while it goes on. last: the newest event. */
export interface Live {
  steps: ReadonlyMap<string, Progress>;
  lines: readonly Line[];
  status: string;
  last: number;
}

export const NOTHING: Live = { steps: new Map(), lines: [], status: "", last: 0 };
export const MOST_LINES = 5000;
const BAD = new Set(["failed", "refused", "locked"]);

/** The next picture. Events that were seen already change nothing. */
export function fold(before: Live, events: readonly RunEvent[]): Live {
  const fresh = events.filter((event) => event.id > before.last);
  if (fresh.length === 0) return before;
  const steps = new Map(before.steps);
  const lines = [...before.lines];
  let { status, last } = before;
  for (const event of fresh) {
    last = event.id;
    if (event.kind === "run-started") status = "";
    if (event.kind === "run-finished") status = String(event.data.status ?? "done");
    const step = progressOf(steps.get(event.step), event);
    if (event.step && step) steps.set(event.step, step);
    const line = lineOf(event);
    if (line) lines.push(line);
  }
  return { steps, lines: lines.slice(-MOST_LINES), status, last };
}

function progressOf(known: Progress | undefined, event: RunEvent): Progress | undefined {
  switch (event.kind) {
    case "step-started":
      return { state: "running", started: event.at, seconds: null, doing: "" };
    case "step-finished":
      return {
        state: String(event.data.state ?? "done") as StepState,
        started: known?.started ?? null,
        seconds: typeof event.data.seconds === "number" ? event.data.seconds : null,
        doing: "",
      };
    case "operation":
      return (
        known && { ...known, doing: event.data.state === "started" ? String(event.data.title ?? "") : "" }
      );
    default:
      return undefined;
  }
}

function lineOf(event: RunEvent): Line | undefined {
  const { id, at, host, data } = event;
  const say = (text: string, tone: Line["tone"] = "plain"): Line => ({ id, at, host, text, tone });
  const title = String(data.title ?? "");
  const state = String(data.state ?? "");
  switch (event.kind) {
    case "run-started":
      return say(`${data.verb} of ${data.cluster} begins, attempt ${data.attempt}`);
    case "run-finished":
      return say(`the run is ${data.status}`, data.status === "done" ? "good" : "bad");
    case "step-started":
      return say(`begins: ${title}`);
    case "step-finished":
      return say(`${state}: ${title}${whyOf(data.error)}`, state === "done" ? "good" : "bad");
    case "operation":
      if (state === "started" || state === "ok") return undefined;
      return say(
        `  ${state}: ${title}${data.reason ? `: ${data.reason}` : ""}${data.stderr ? `\n${data.stderr}` : ""}`,
        BAD.has(state) ? "bad" : "plain",
      );
    case "transfer":
      return data.bytes === data.size ? say(`  received ${data.name}`) : undefined;
    case "message":
      return say(`  ${data.text}`);
    default:
      return undefined;
  }
}

function whyOf(error: unknown): string {
  if (!error) return "";
  if (typeof error === "object" && "detail" in error) return `: ${String(error.detail)}`;
  return `: ${String(error)}`;
}
