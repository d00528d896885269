import { Button, Group, Loader, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import type { CertificateRow } from "../api/documents";
import { certificates } from "../api/queries";
import { type Column, DataTable } from "../parts/DataTable";
import { Faults } from "../parts/Faults";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { useMay } from "../shell/may";

const COLUMNS: Column<CertificateRow>[] = [
  {
    header: "State",
    value: (row) => row.state,
    show: (row) => <State word={row.state} label={row.fault || row.state} />,
  },
  { header: "Host", value: (row) => row.node },
  {
    header: "Certificate",
    value: (row) => row.path,
    show: (row) => <span className="mono">{row.path}</span>,
  },
  { header: "Days left", value: (row) => Math.floor(row.days_left) },
  { header: "Until", value: (row) => row.expires },
  { header: "Renewed by", value: (row) => row.renewed_by },
];

export function CertificatesTab({ name }: { name: string }) {
  const found = useQuery(certificates(name));
  const may = useMay()("operator", name);
  const rows = found.data?.certificates ?? [];
  const first = rows.length > 0 ? rows.reduce((a, b) => (a.days_left < b.days_left ? a : b)) : undefined;
  return (
    <Stack>
      <ProblemAlert error={found.error} />
      {found.isPending && <Loader aria-label="loading" />}
      <Faults faults={found.data?.faults} />
      <Group justify="space-between">
        <Text>{first && `The next one ends on ${first.expires}: ${first.path} on ${first.node}.`}</Text>
        {may && (
          <Button variant="default" component={Link} href={`/clusters/${name}/change/renew`}>
            Renew all
          </Button>
        )}
      </Group>
      {found.data && (
        <DataTable
          label="Certificates"
          rows={rows}
          columns={COLUMNS}
          rowKey={(row) => `${row.node} ${row.path} ${row.subject}`}
          empty="No certificate was found on the hosts."
        />
      )}
    </Stack>
  );
}
