// A cluster's state in one word and one sentence.
import type { Tone } from "../parts/State";

interface Status {
  healthy: boolean;
  api: string;
  hosts: Record<string, unknown>[];
}

export interface Health {
  word: string;
  tone: Tone;
  text: string;
}

export function healthOf(status: Status | undefined, error: unknown): Health {
  if (error)
    return { word: "unknown", tone: "warn", text: error instanceof Error ? error.message : String(error) };
  if (!status) return { word: "asking", tone: "idle", text: "The hosts are asked." };
  const ready = status.hosts.filter((host) => host.state === "Ready").length;
  const nodes = status.hosts.filter((host) => host.state !== "not a node").length;
  const text = `${ready} of ${status.hosts.length} nodes Ready; API: ${status.api}`;
  if (status.healthy) return { word: "healthy", tone: "good", text };
  if (nodes === 0) return { word: "not made yet", tone: "idle", text };
  return { word: ready === 0 ? "down" : "degraded", tone: ready === 0 ? "bad" : "warn", text };
}
