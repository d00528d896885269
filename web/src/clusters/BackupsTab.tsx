import { Button, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { api, must, onceOnly } from "../api/client";
import type { BackupRow } from "../api/documents";
import { backups } from "../api/queries";
import { type Column, DataTable } from "../parts/DataTable";
import { Faults } from "../parts/Faults";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { bytes, moment } from "../parts/time";

const COLUMNS: Column<BackupRow>[] = [
  { header: "Backup", value: (row) => row.id, show: (row) => <span className="mono">{row.id}</span> },
  { header: "Taken", value: (row) => row.created, show: (row) => moment(row.created) },
  { header: "Version", value: (row) => row.version },
  {
    header: "Size",
    value: (row) => row.copies[0]?.size ?? 0,
    show: (row) => bytes(row.copies[0]?.size ?? 0),
  },
  { header: "Where", value: (row) => row.copies.map((copy) => copy.target).join(", ") },
  {
    header: "Tried",
    value: (row) => row.fault ?? row.verified ?? "",
    show: (row) =>
      row.fault ? (
        <State word="failed" label={row.fault} />
      ) : row.verified ? (
        <State word="done" label={`restored on ${moment(row.verified)}`} />
      ) : (
        <State word="never" label="never restored" tone="warn" />
      ),
  },
];

export function BackupsTab({ name }: { name: string }) {
  const [, go] = useLocation();
  const found = useQuery(backups(name));
  const take = useMutation({
    mutationFn: () =>
      must(api.POST("/api/v1/clusters/{name}/backup", { params: { path: { name }, header: onceOnly() } })),
    onSuccess: (run) => go(`/runs/${run.id}`),
  });
  return (
    <Stack>
      <Group justify="space-between">
        <Text c="dimmed" size="sm">
          Encrypted copies of etcd and of the cluster's keys, in every target of the definition.
        </Text>
        <Button variant="default" onClick={() => take.mutate()} loading={take.isPending}>
          Take a backup
        </Button>
      </Group>
      <ProblemAlert error={take.error} />
      <ProblemAlert error={found.error} />
      <Faults faults={found.data?.faults} />
      {found.data && (
        <DataTable
          label="Backups"
          rows={found.data.backups}
          columns={COLUMNS}
          rowKey={(row) => row.id}
          empty="There is no backup yet."
        />
      )}
    </Stack>
  );
}
