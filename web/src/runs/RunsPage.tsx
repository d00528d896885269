import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { runs } from "../api/queries";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { RunTable } from "./RunTable";

export default function RunsPage() {
  const found = useQuery(runs());
  return (
    <Page title="Runs" under="What was asked, how it goes, how it went">
      <ProblemAlert error={found.error} />
      {found.data && <RunTable rows={found.data} />}
      {found.data?.length === 0 && (
        <Anchor component={Link} href="/clusters">
          Plan something for a cluster
        </Anchor>
      )}
    </Page>
  );
}
