import { Button, Group, Stack, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { Link } from "wouter";
import { api, must } from "../api/client";
import type { BackupRow } from "../api/documents";
import { backups } from "../api/queries";
import { type Column, DataTable } from "../parts/DataTable";
import { Faults } from "../parts/Faults";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { bytes, moment } from "../parts/time";
import { useMay } from "../shell/may";

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
  const found = useQuery(backups(name));
  const client = useQueryClient();
  const may = useMay();
  const [operates, restores] = [may("operator", name), may("admin", name)];
  const verify = useMutation({
    mutationFn: (backup: string) =>
      must(
        api.POST("/api/v1/clusters/{name}/backups/{backup}/verify", { params: { path: { name, backup } } }),
      ),
    onSettled: () => client.invalidateQueries({ queryKey: ["backups", name] }),
  });
  const { mutate, isPending, variables } = verify;
  const columns = useMemo(() => {
    const trying = isPending ? variables : undefined;
    const acts = (row: BackupRow) => (
      <Group gap={6} wrap="nowrap">
        <Button
          size="compact-sm"
          variant="default"
          aria-label={`Verify ${row.id}`}
          loading={trying === row.id}
          disabled={isPending}
          onClick={() => mutate(row.id)}
        >
          Verify
        </Button>
        {restores && (
          <Button
            size="compact-sm"
            variant="default"
            component={Link}
            href={`/clusters/${name}/change/restore?backup=${row.id}`}
            aria-label={`Restore ${row.id}`}
          >
            Restore
          </Button>
        )}
      </Group>
    );
    return operates ? [...COLUMNS, { header: "Actions", acts: true, value: () => "", show: acts }] : COLUMNS;
  }, [mutate, isPending, variables, name, operates, restores]);
  return (
    <Stack>
      <Group justify="space-between">
        <Text c="dimmed" size="sm">
          Encrypted copies of etcd and of the cluster's keys, in every target of the definition.
        </Text>
        {operates && (
          <Button variant="default" component={Link} href={`/clusters/${name}/change/backup`}>
            Take a backup
          </Button>
        )}
      </Group>
      <ProblemAlert error={verify.error} title="It could not be tried" />
      {verify.data && (
        <Group role="status">
          <State word="done" label={`${verify.data.backup} can be restored: ${verify.data.keys} keys`} />
        </Group>
      )}
      <ProblemAlert error={found.error} />
      <Faults faults={found.data?.faults} />
      {found.data && (
        <DataTable
          label="Backups"
          rows={found.data.backups}
          columns={columns}
          rowKey={(row) => row.id}
          empty="There is no backup yet."
        />
      )}
    </Stack>
  );
}
