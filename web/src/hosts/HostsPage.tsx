// Every host of the store, and which cluster holds it.
import { Anchor, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import type { HostRow } from "../api/documents";
import { hosts } from "../api/queries";
import { type Column, DataTable } from "../parts/DataTable";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";

const COLUMNS: Column<HostRow>[] = [
  { header: "Host", value: (host) => host.name },
  {
    header: "Address",
    value: (host) => host.address,
    show: (host) => <span className="mono">{host.address}</span>,
  },
  {
    header: "Cluster",
    value: (host) => host.cluster,
    show: (host) =>
      host.cluster ? (
        <Anchor component={Link} href={`/clusters/${host.cluster}`}>
          {host.cluster}
        </Anchor>
      ) : (
        <State word="free" />
      ),
  },
  {
    header: "Definition",
    value: (host) => host.definition,
    show: (host) => (
      <Anchor component={Link} href={`/definitions/${host.definition}`} className="mono">
        {host.definition}
      </Anchor>
    ),
  },
];

export default function HostsPage() {
  const [which, show] = useState("all");
  const found = useQuery(hosts);
  const all = found.data?.hosts ?? [];
  const rows = all.filter((host) => which === "all" || (host.cluster === "") === (which === "free"));
  const free = all.filter((host) => host.cluster === "").length;
  return (
    <Page
      title="Hosts"
      under={
        found.data
          ? `${all.length}${found.data.next ? " and more" : ""} in the Sites of the store, ${free} free`
          : ""
      }
      actions={
        <SegmentedControl
          aria-label="Which hosts"
          value={which}
          onChange={show}
          data={[
            { value: "all", label: "All" },
            { value: "free", label: "Free" },
            { value: "held", label: "In a cluster" },
          ]}
        />
      }
    >
      <ProblemAlert error={found.error} />
      {found.data && (
        <DataTable
          label="Hosts"
          rows={rows}
          columns={COLUMNS}
          rowKey={(host) => host.key}
          empty={which === "all" ? "No Site of the store has a host yet." : "There is none."}
        />
      )}
    </Page>
  );
}
