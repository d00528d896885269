// The history of a cluster as uPlot wants it: one list of times, and one list for each line.

interface Point {
  at: number;
  cpu_used: number;
  cpu_size: number;
  cpu_requested: number;
  memory_used: number;
  memory_size: number;
  memory_requested: number;
}

export type Columns = [number[], ...(number | null)[][]];

const GIGABYTE = 1e9;

/** Times in seconds; used, requested by pods, and there in all: cores, or gigabytes. A gap in the samples is a gap in the lines. */
export function seriesOf(history: readonly Point[], what: "cpu" | "memory"): Columns {
  const scale = what === "cpu" ? 1 : GIGABYTE;
  const rows: (Point | null)[] = [];
  const times: number[] = [];
  const usual = median(history.map((point, at) => point.at - (history[at - 1]?.at ?? point.at)).slice(1));
  for (const [at, point] of history.entries()) {
    const before = history[at - 1];
    if (before && usual > 0 && point.at - before.at > 3 * usual) {
      times.push(before.at + usual);
      rows.push(null);
    }
    times.push(point.at);
    rows.push(point);
  }
  const line = (name: "used" | "requested" | "size") =>
    rows.map((row) => (row ? row[`${what}_${name}`] / scale : null));
  return [times, line("used"), line("requested"), line("size")];
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
