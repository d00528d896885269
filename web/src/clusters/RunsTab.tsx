import { useQuery } from "@tanstack/react-query";
import { runs } from "../api/queries";
import { ProblemAlert } from "../parts/ProblemAlert";
import { RunTable } from "../runs/RunTable";

export function RunsTab({ name }: { name: string }) {
  const found = useQuery(runs(name));
  if (found.error) return <ProblemAlert error={found.error} />;
  return <RunTable rows={found.data ?? []} />;
}
