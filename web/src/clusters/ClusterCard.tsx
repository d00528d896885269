import { Group, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import type { Schemas } from "../api/client";
import { status } from "../api/queries";
import { State } from "../parts/State";
import { ago } from "../parts/time";
import { healthOf } from "./health";

/** A cluster at a glance: whether it is well, what it is, what was done last. */
export function ClusterCard({ cluster }: { cluster: Schemas["ClusterSummary"] }) {
  const seen = useQuery(status(cluster.name));
  const health = healthOf(seen.data, seen.error);
  const run = cluster.last_run;
  return (
    <Link href={`/clusters/${cluster.name}`} className="card">
      <Group justify="space-between" mb={6} wrap="nowrap">
        <Title order={2} size="h4">
          {cluster.name}
        </Title>
        <State word={health.word} tone={health.tone} />
      </Group>
      <Text size="sm" c="dimmed">
        {cluster.type} {cluster.version} · {rolesOf(cluster.nodes)}
      </Text>
      <Text size="sm" mt={8}>
        {health.text}
      </Text>
      <Group mt={10} gap="xs">
        {run ? (
          <>
            <State word={run.state} label={`${run.verb}: ${run.state}`} />
            <Text size="xs" c="dimmed">
              {ago(run.created)}
            </Text>
          </>
        ) : (
          <Text size="xs" c="dimmed">
            Nothing was done with it yet
          </Text>
        )}
      </Group>
    </Link>
  );
}

export function rolesOf(nodes: Record<string, number>): string {
  return Object.entries(nodes)
    .map(([role, count]) => `${count} ${role.toLowerCase().replace("_", " ")}`)
    .join(", ");
}
