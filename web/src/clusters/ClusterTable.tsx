// Many clusters: a list, with what the server knows without asking any host.
import { Anchor } from "@mantine/core";
import { Link } from "wouter";
import type { Schemas } from "../api/client";
import { type Column, DataTable } from "../parts/DataTable";
import { State } from "../parts/State";

type Row = Schemas["ClusterSummary"];

const COLUMNS: Column<Row>[] = [
  {
    header: "Cluster",
    value: (row) => row.name,
    show: (row) => (
      <Anchor component={Link} href={`/clusters/${row.name}`}>
        {row.name}
      </Anchor>
    ),
  },
  { header: "Type", value: (row) => row.type },
  { header: "Version", value: (row) => row.version },
  { header: "Hosts", value: (row) => row.size },
  {
    header: "Newest run",
    value: (row) => row.last_run?.state ?? "",
    show: (row) =>
      row.last_run ? (
        <State word={row.last_run.state} label={`${row.last_run.verb}: ${row.last_run.state}`} />
      ) : (
        "none yet"
      ),
  },
];

export function ClusterTable({ rows }: { rows: Row[] }) {
  return (
    <DataTable
      label="Clusters"
      rows={rows}
      columns={COLUMNS}
      rowKey={(row) => row.name}
      empty="There is no cluster."
    />
  );
}
