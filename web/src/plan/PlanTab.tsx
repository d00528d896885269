// The plan of the cluster as it is written: what an apply would do.
import type { Wish } from "../changes/kinds";
import { PlanView } from "./PlanView";

const APPLY: Wish = { verb: "apply", force: false };

export function PlanTab({ name, may }: { name: string; may: boolean }) {
  return <PlanView name={name} wish={APPLY} may={may} />;
}
