import { Anchor } from "@mantine/core";
import { Link } from "wouter";
import type { Schemas } from "../api/client";
import { type Column, DataTable } from "../parts/DataTable";
import { State } from "../parts/State";
import { ago, duration, moment } from "../parts/time";

type Run = Schemas["RunSummary"];

const COLUMNS: Column<Run>[] = [
  { header: "State", value: (run) => run.state, show: (run) => <State word={run.state} /> },
  {
    header: "Run",
    value: (run) => run.id,
    show: (run) => (
      <Anchor component={Link} href={`/runs/${run.id}`} className="mono">
        {run.id}
      </Anchor>
    ),
  },
  { header: "What", value: (run) => run.verb },
  {
    header: "Cluster",
    value: (run) => run.cluster,
    show: (run) => (
      <Anchor component={Link} href={`/clusters/${run.cluster}`}>
        {run.cluster}
      </Anchor>
    ),
  },
  { header: "By", value: (run) => run.requested_by || "the command line" },
  {
    header: "Begun",
    value: (run) => run.created,
    show: (run) => <span title={moment(run.created)}>{ago(run.created)}</span>,
  },
  {
    header: "Took",
    value: (run) => (run.finished ? run.finished - run.created : 0),
    show: (run) => (run.finished ? duration(run.finished - run.created) : "…"),
  },
];

export function RunTable({ rows }: { rows: Run[] }) {
  return (
    <DataTable
      label="Runs"
      rows={rows}
      columns={COLUMNS}
      rowKey={(run) => run.id}
      empty="There were no runs yet."
    />
  );
}
