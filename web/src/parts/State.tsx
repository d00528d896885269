// One look for every state: a sign, a word and a colour.
export type Tone = "good" | "bad" | "busy" | "warn" | "idle";

const TONES: Record<string, Tone> = {
  done: "good",
  ok: "good",
  Ready: "good",
  valid: "good",
  healthy: "good",
  intact: "good",
  failed: "bad",
  unreachable: "bad",
  expired: "bad",
  unreadable: "bad",
  NotReady: "bad",
  refused: "bad",
  running: "busy",
  planning: "busy",
  begun: "busy",
  interrupted: "warn",
  cancelled: "warn",
  warning: "warn",
  due: "warn",
  quarantined: "warn",
  leaving: "warn",
};
const SIGNS: Record<Tone, string> = { good: "✓", bad: "✕", busy: "●", warn: "!", idle: "○" };

export function toneOf(word: string): Tone {
  return TONES[word] ?? "idle";
}

export function signOf(tone: Tone): string {
  return SIGNS[tone];
}

export function State({ word, tone, label }: { word: string; tone?: Tone; label?: string }) {
  const shown = tone ?? toneOf(word);
  return (
    <span className={`state ${shown}`}>
      <span aria-hidden="true">{SIGNS[shown]}</span>
      {label ?? word}
    </span>
  );
}
