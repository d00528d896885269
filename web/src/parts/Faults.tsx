import { ProblemAlert } from "./ProblemAlert";

/** What the server could not find out, each by itself: the rest of its answer holds. */
export function Faults({ faults = [] }: { faults?: string[] }) {
  return faults.map((fault) => <ProblemAlert key={fault} error={new Error(fault)} />);
}
