// What the audit page may be asked for, as it stands in the address, and as the server takes it.
export const FIELDS = [
  { name: "who", label: "Who", type: "text" },
  { name: "action", label: "What", type: "text" },
  { name: "target", label: "On", type: "text" },
  { name: "result", label: "Result", type: "text" },
  { name: "run", label: "Run", type: "text" },
  { name: "since", label: "Since", type: "date" },
  { name: "until", label: "Until", type: "date" },
] as const;

const DAY = 86_400;

/** Days are those of whoever looks: until the end of the last one. */
export function filtersOf(said: URLSearchParams): Record<string, string | number | boolean> {
  const found: Record<string, string | number | boolean> = {};
  for (const { name, type } of FIELDS) {
    const text = said.get(name);
    if (!text) continue;
    if (type === "text") {
      found[name] = text;
      continue;
    }
    const begin = new Date(`${text}T00:00`).getTime() / 1000;
    if (Number.isFinite(begin)) found[name] = name === "until" ? begin + DAY : begin;
  }
  if (said.get("incidents") === "yes") found.incidents = true;
  return found;
}
