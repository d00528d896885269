// One change of a cluster: what has to be said, the plan that comes of it, and the button that lets it be done.
import { Anchor, Loader, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import type { Schemas } from "../api/client";
import { cluster as clusterQuery } from "../api/queries";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { PlanView } from "../plan/PlanView";
import { useMay } from "../shell/may";
import { Force } from "./Force";
import { forced, KINDS, type Kind, wishOf } from "./kinds";
import { RestoreForm } from "./RestoreForm";
import { ScaleForm } from "./ScaleForm";
import { UpgradeForm } from "./UpgradeForm";

export interface Asking {
  /** What was said before, from the address. */
  said: URLSearchParams;
  /** Plan this: it goes into the address, so that it can be gone back to. */
  plan: (said: Record<string, string | string[]>) => void;
}

export default function ChangePage({ name, what }: { name: string; what: string }) {
  const kind = KINDS[what];
  const found = useQuery(clusterQuery(name));
  if (!kind) return <p>There is no such page.</p>;
  if (found.error) return <ProblemAlert error={found.error} />;
  if (!found.data) return <Loader aria-label="loading" />;
  return <Change kind={kind} cluster={found.data} />;
}

function Change({ kind, cluster }: { kind: Kind; cluster: Schemas["ClusterDetails"] }) {
  const [said, say] = useSearchParams();
  const [count, again] = useState(0);
  const may = useMay()(kind.role, cluster.name);
  const wish = wishOf(kind, said);
  const plan: Asking["plan"] = (next) => {
    const written = new URLSearchParams();
    for (const [key, value] of Object.entries(next))
      for (const one of [value].flat()) written.append(key, one);
    say(written);
    again(count + 1);
  };
  const asking = { said, plan };
  return (
    <Page
      title={`${kind.label}: ${cluster.name}`}
      under={kind.about}
      actions={
        <Anchor component={Link} href={`/clusters/${cluster.name}`} fz="sm">
          Back to {cluster.name}
        </Anchor>
      }
    >
      <Stack>
        {!may && (
          <ProblemAlert
            error={new Error(`This takes the role ${kind.role} of ${cluster.name}: ask an administrator.`)}
          />
        )}
        {may && kind.verb === "upgrade" && <UpgradeForm cluster={cluster} {...asking} />}
        {may && kind.verb === "scale" && <ScaleForm cluster={cluster} {...asking} />}
        {may && kind.verb === "restore" && <RestoreForm name={cluster.name} {...asking} />}
        {may && kind.verb === "destroy" && (
          <Force
            force={forced(said)}
            label="Also when hosts cannot be reached: they are only forgotten"
            onChange={(force) => plan(force ? { force: "yes" } : {})}
          />
        )}
        {may && wish && (
          <PlanView
            key={count}
            name={cluster.name}
            wish={wish}
            may={may}
            act={kind.label}
            grave={kind.grave}
            nothing={NOTHING[kind.verb]}
          />
        )}
      </Stack>
    </Page>
  );
}

const NOTHING: Record<string, string> = {
  upgrade: "Nothing to do: the cluster runs this release.",
  scale: "Nothing to do: the group is so already.",
  renew: "Nothing to do: there is no certificate that Raijin would renew.",
  destroy: "Nothing to do: nothing of the cluster is there.",
};
