import { Anchor, Loader, SimpleGrid, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { clusters } from "../api/queries";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { ClusterCard } from "./ClusterCard";
import { ClusterTable } from "./ClusterTable";

const MOST_CARDS = 24;

export default function ClustersPage() {
  const found = useQuery(clusters);
  const rows = found.data ?? [];
  return (
    <Page title="Clusters" under={found.data ? `${rows.length} in the store of this server` : ""}>
      <ProblemAlert error={found.error} />
      {found.isPending && <Loader aria-label="loading" />}
      {rows.length > MOST_CARDS ? (
        <ClusterTable rows={rows} />
      ) : (
        <SimpleGrid cols={{ base: 1, md: 2, xl: 3 }}>
          {rows.map((cluster) => (
            <ClusterCard key={cluster.name} cluster={cluster} />
          ))}
        </SimpleGrid>
      )}
      {found.data?.length === 0 && (
        <Text>
          There is no cluster yet.{" "}
          <Anchor component={Link} underline="always" href="/definitions">
            Write a definition
          </Anchor>
          , then plan and apply it.
        </Text>
      )}
    </Page>
  );
}
