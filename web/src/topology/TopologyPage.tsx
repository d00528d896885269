import { Select, Stack } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Schemas } from "../api/client";
import { sites, status } from "../api/queries";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { SitePicture } from "./SitePicture";
import { SiteTable } from "./SiteTable";

export default function TopologyPage() {
  const found = useQuery(sites);
  const [wanted, setWanted] = useState<string | null>(null);
  const all = found.data ?? [];
  const site = all.find((item) => keyOf(item) === wanted) ?? all[0];
  const states = useQueries({
    queries: (site?.clusters ?? []).map((cluster) => status(cluster.name)),
    combine: statesOf,
  });
  return (
    <Page
      title="Topology"
      under="Links, networks, clusters and machines of a site"
      actions={
        all.length > 1 && (
          <Select
            aria-label="Site"
            w={260}
            value={site ? keyOf(site) : null}
            onChange={setWanted}
            allowDeselect={false}
            data={all.map((item) => ({ value: keyOf(item), label: `${item.name} (${item.definition})` }))}
          />
        )
      }
    >
      <ProblemAlert error={found.error} />
      {found.data?.length === 0 && <p>No definition of the store has a Site yet.</p>}
      {site && (
        <Stack>
          <SitePicture site={site} states={states} key={keyOf(site)} />
          <SiteTable site={site} states={states} />
        </Stack>
      )}
    </Page>
  );
}

/** By `cluster host`. It stands here so that it is one function: the map is then made anew only when an answer is. */
function statesOf(answers: readonly { data?: Schemas["StatusDocument"] }[]): ReadonlyMap<string, string> {
  return new Map(
    answers.flatMap(({ data }) =>
      (data?.hosts ?? []).map((host) => [`${data?.cluster} ${host.name}`, String(host.state)] as const),
    ),
  );
}

function keyOf(site: { definition: string; name: string }): string {
  return `${site.definition}/${site.name}`;
}
