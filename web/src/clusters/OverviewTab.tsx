import { Alert, Button, Group, List, Stack, Title } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { api, must, type Schemas } from "../api/client";
import { status } from "../api/queries";
import { type Column, DataTable } from "../parts/DataTable";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";

interface Host {
  name: string;
  role: string;
  address: string;
  state: string;
  version: string;
  remark: string;
}

const HOSTS: Column<Host>[] = [
  { header: "Host", value: (host) => host.name },
  { header: "Role", value: (host) => host.role.toLowerCase().replace("_", " ") },
  { header: "State", value: (host) => host.state, show: (host) => <State word={host.state} /> },
  {
    header: "Address",
    value: (host) => host.address,
    show: (host) => <span className="mono">{host.address}</span>,
  },
  { header: "Version", value: (host) => host.version },
  { header: "Remark", value: (host) => host.remark },
];

type Finding = Schemas["Finding"];
const FINDINGS: Column<Finding>[] = [
  { header: "Grade", value: (item) => item.grade, show: (item) => <State word={item.grade} /> },
  { header: "Check", value: (item) => item.check },
  { header: "Of", value: (item) => item.subject },
  { header: "What was found", value: (item) => `${item.text}${item.remedy ? `; ${item.remedy}` : ""}` },
];

export function OverviewTab({ cluster }: { cluster: Schemas["ClusterDetails"] }) {
  const seen = useQuery(status(cluster.name));
  const hosts = rowsOf(cluster, seen.data);
  const check = useMutation({
    mutationFn: () =>
      must(
        api.POST("/api/v1/clusters/{name}/validate", {
          params: { path: { name: cluster.name } },
          body: { validationSuite: "STANDARD", categories: [], remediateIssues: false },
        }),
      ),
  });
  return (
    <Stack gap="lg">
      {cluster.unsupported.length > 0 && (
        <Alert color="yellow" title="Parts of the definition that cannot be served yet">
          <List size="sm">
            {cluster.unsupported.map((part) => (
              <List.Item key={part.path}>
                <b>{part.path}</b>: {part.reason}
              </List.Item>
            ))}
          </List>
        </Alert>
      )}
      <ProblemAlert error={seen.error} title="The hosts could not be asked" />
      <DataTable
        label="Hosts"
        rows={hosts}
        columns={HOSTS}
        rowKey={(host) => host.name}
        empty="It has no hosts."
      />
      <div>
        <Group mb="sm">
          <Title order={2} size="h4">
            Health
          </Title>
          <Button size="xs" variant="default" onClick={() => check.mutate()} loading={check.isPending}>
            Look now
          </Button>
          {check.data && (
            <State word={check.data.healthy ? "healthy" : "failed"} label={check.data.verdict} />
          )}
        </Group>
        <ProblemAlert error={check.error} />
        {check.data && (
          <DataTable
            label="Findings"
            rows={check.data.findings}
            columns={FINDINGS}
            rowKey={(item) => `${item.check} ${item.subject}`}
            empty="Nothing was looked at."
          />
        )}
      </div>
    </Stack>
  );
}

/** The hosts of the definition, and what is known of them by now. */
function rowsOf(cluster: Schemas["ClusterDetails"], seen: Schemas["StatusDocument"] | undefined): Host[] {
  if (seen) return seen.hosts as unknown as Host[];
  return cluster.hosts.map((host) => ({
    name: String(host.name),
    role: String(host.role),
    address: String(host.address),
    state: "unknown",
    version: "",
    remark: "",
  }));
}
