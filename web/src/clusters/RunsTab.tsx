import { useQuery } from "@tanstack/react-query";
import { runs } from "../api/queries";
import { ProblemAlert } from "../parts/ProblemAlert";
import { RunTable } from "../runs/RunTable";

export function RunsTab({ name }: { name: string }) {
  const found = useQuery(runs(name));
  return (
    <>
      <ProblemAlert error={found.error} />
      {found.data && <RunTable rows={found.data} />}
    </>
  );
}
