// The events of a run as they come. The browser comes back by itself after a break, with the last number it has seen.
import { useEffect, useState } from "react";
import { fold, type Live, NOTHING, type RunEvent } from "./fold";

const KINDS = [
  "run-started",
  "run-finished",
  "step-started",
  "step-finished",
  "operation",
  "transfer",
  "message",
];
const PAINT_MS = 120;

interface Following extends Live {
  connected: boolean;
  ended: boolean;
}

/** attempt: of the run; another one is followed from the start. */
export function useLive(run: string, attempt: number): Following {
  const [live, setLive] = useState<Live>(NOTHING);
  const [connected, setConnected] = useState(true);
  const [ended, setEnded] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt is followed anew
  useEffect(() => {
    setLive(NOTHING);
    setEnded(false);
    const source = new EventSource(`/api/v1/runs/${encodeURIComponent(run)}/events`);
    let waiting: RunEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = () => {
      timer = undefined;
      const events = waiting;
      waiting = [];
      setLive((before) => fold(before, events));
    };
    const take = (message: MessageEvent<string>) => {
      waiting.push(JSON.parse(message.data) as RunEvent);
      timer ??= setTimeout(paint, PAINT_MS);
    };
    for (const kind of KINDS) source.addEventListener(kind, take);
    source.addEventListener("open", () => setConnected(true));
    source.addEventListener("error", () => setConnected(false));
    source.addEventListener("end", () => {
      source.close();
      paint();
      setEnded(true);
    });
    return () => {
      source.close();
      clearTimeout(timer);
    };
  }, [run, attempt]);
  return { ...live, connected, ended };
}
