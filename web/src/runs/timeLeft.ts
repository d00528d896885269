// How long a run still takes: the longest way through what is not done, by the plan's estimates.
import type { StepState } from "./fold.ts";

/** needs: ids. estimate and seconds (of an ended step): seconds. started: seconds since the epoch, of a running step. */
export interface Timed {
  id: string;
  needs: readonly string[];
  state: StepState;
  estimate: number;
  started: number | null;
  seconds: number | null;
}

const ENOUGH = 4;
const MOST = 8;

/** Seconds; now: seconds since the epoch. Steps that will not run any more count nothing. */
export function timeLeft(steps: readonly Timed[], now: number): number {
  const known = new Map(steps.map((step) => [step.id, step]));
  const ends = new Map<string, number>();
  const end = (step: Timed): number => {
    const found = ends.get(step.id);
    if (found !== undefined) return found;
    ends.set(step.id, 0); // a plan has no circles; a damaged one must not hang the page
    const ready = Math.max(0, ...step.needs.map((id) => known.get(id)).map((need) => (need ? end(need) : 0)));
    ends.set(step.id, ready + own(step, now));
    return ready + own(step, now);
  };
  return Math.max(0, ...steps.map(end)) * pace(steps);
}

/** How much slower than estimated these hosts are, by what has ended: 1 while that says little. */
function pace(steps: readonly Timed[]): number {
  const ended = steps.filter((step) => step.state === "done" && step.seconds !== null && step.estimate > 0);
  const estimated = ended.reduce((sum, step) => sum + step.estimate, 0);
  const took = ended.reduce((sum, step) => sum + (step.seconds ?? 0), 0);
  return ended.length < ENOUGH ? 1 : Math.min(MOST, Math.max(1 / MOST, took / estimated));
}

function own(step: Timed, now: number): number {
  if (step.state === "waiting") return step.estimate;
  if (step.state === "running") return Math.max(0, step.estimate - (now - (step.started ?? now)));
  return 0;
}
