// Where each step stands in the picture: a lane for each host, further right what comes later.

interface Placed {
  id: string;
  x: number;
  y: number;
}

interface Lane {
  target: string;
  y: number;
}

export interface Picture {
  steps: Placed[];
  lanes: Lane[];
  /** Pairs of ids: only those that no other way says already. */
  edges: [string, string][];
}

interface Step {
  id: string;
  target: string;
  needs: readonly string[];
}

const COLUMN = 128;
const ROW = 50;
const GAP = 10;

export function pictureOf(steps: readonly Step[], cluster: string): Picture {
  const columns = depths(steps);
  const targets = [...new Set(steps.map((step) => step.target))].sort(
    (a, b) =>
      Number(b === cluster) - Number(a === cluster) || a.localeCompare(b, undefined, { numeric: true }),
  );
  const cells = new Map<string, string[]>();
  for (const step of steps) {
    const key = `${step.target} ${columns.get(step.id)}`;
    cells.set(key, [...(cells.get(key) ?? []), step.id]);
  }
  const lanes: Lane[] = [];
  let y = 0;
  const tops = new Map<string, number>();
  for (const target of targets) {
    const own = steps.filter((step) => step.target === target);
    const rows = Math.max(
      1,
      ...own.map((step) => cells.get(`${target} ${columns.get(step.id)}`)?.length ?? 0),
    );
    lanes.push({ target, y });
    tops.set(target, y);
    y += rows * ROW + GAP;
  }
  const placed = steps.map((step) => {
    const column = columns.get(step.id) ?? 0;
    const cell = cells.get(`${step.target} ${column}`) ?? [];
    return {
      id: step.id,
      x: column * COLUMN,
      y: (tops.get(step.target) ?? 0) + cell.indexOf(step.id) * ROW,
    };
  });
  return { steps: placed, lanes, edges: shortest(steps) };
}

/** How many steps come before a step, on the longest way to it. A plan is in an order in which needs come first. */
function depths(steps: readonly Step[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const step of steps) {
    found.set(step.id, Math.max(0, ...step.needs.map((need) => (found.get(need) ?? -1) + 1)));
  }
  return found;
}

/** Without what follows from others: a needs b, b needs c, so that a needs c need not be drawn. */
function shortest(steps: readonly Step[]): [string, string][] {
  const needs = new Map(steps.map((step) => [step.id, step.needs.filter((id) => id !== step.id)]));
  const behind = new Map<string, Set<string>>();
  const all = (id: string): Set<string> => {
    const known = behind.get(id);
    if (known) return known;
    const found = new Set<string>();
    behind.set(id, found);
    for (const need of needs.get(id) ?? []) {
      found.add(need);
      for (const far of all(need)) found.add(far);
    }
    return found;
  };
  const edges: [string, string][] = [];
  for (const step of steps) {
    const own = needs.get(step.id) ?? [];
    for (const need of own) {
      if (needs.has(need) && !own.some((other) => other !== need && all(other).has(need)))
        edges.push([need, step.id]);
    }
  }
  return edges;
}
