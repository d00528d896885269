import { Anchor } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "wouter";
import type { SiteDocument } from "../api/documents";
import { type Column, DataTable } from "../parts/DataTable";
import { State } from "../parts/State";

interface Row {
  name: string;
  address: string;
  cluster: string;
  role: string;
  state: string;
}

const COLUMNS: Column<Row>[] = [
  { header: "Host", value: (row) => row.name },
  {
    header: "Address",
    value: (row) => row.address,
    show: (row) => <span className="mono">{row.address}</span>,
  },
  {
    header: "Cluster",
    value: (row) => row.cluster,
    show: (row) =>
      row.cluster ? (
        <Anchor component={Link} href={`/clusters/${row.cluster}`}>
          {row.cluster}
        </Anchor>
      ) : (
        "none"
      ),
  },
  { header: "Role", value: (row) => row.role.toLowerCase().replace("_", " ") },
  { header: "State", value: (row) => row.state, show: (row) => row.state && <State word={row.state} /> },
];

export function SiteTable({ site, states }: { site: SiteDocument; states: ReadonlyMap<string, string> }) {
  const rows = useMemo(() => {
    const placed = new Map(
      site.clusters.flatMap((cluster) =>
        cluster.hosts.map((host) => [host.name, { cluster: cluster.name, role: host.role }]),
      ),
    );
    return site.hosts.map((host) => {
      const found = placed.get(host.name) ?? { cluster: "", role: "" };
      return {
        name: host.name,
        address: host.address ?? "",
        ...found,
        state: states.get(`${found.cluster} ${host.name}`) ?? "",
      };
    });
  }, [site, states]);
  return (
    <DataTable
      label="Hosts of the site"
      rows={rows}
      columns={COLUMNS}
      rowKey={(row) => row.name}
      empty="The site has no hosts."
    />
  );
}
