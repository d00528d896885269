import { Button, Loader, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { Link, useLocation } from "wouter";
import { cluster as clusterQuery, status } from "../api/queries";
import { ChangeMenu } from "../changes/ChangeMenu";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { PlanTab } from "../plan/PlanTab";
import { useMay } from "../shell/may";
import { BackupsTab } from "./BackupsTab";
import { CertificatesTab } from "./CertificatesTab";
import { rolesOf } from "./ClusterCard";
import { healthOf } from "./health";
import { OverviewTab } from "./OverviewTab";
import { RunsTab } from "./RunsTab";

const CapacityTab = lazy(() => import("../capacity/CapacityTab"));

const TABS = {
  overview: "Overview",
  plan: "Plan",
  runs: "Runs",
  backups: "Backups",
  certificates: "Certificates",
  capacity: "Capacity",
};

export default function ClusterPage({ name, tab }: { name: string; tab: string }) {
  const [, go] = useLocation();
  const found = useQuery(clusterQuery(name));
  const seen = useQuery(status(name));
  const may = useMay()("operator", name);
  const health = healthOf(seen.data, seen.error);
  if (found.error) return <ProblemAlert error={found.error} />;
  if (!found.data) return <Loader aria-label="loading" />;
  const cluster = found.data;
  // To plan takes who may also have it done.
  const tabs = Object.entries(TABS).filter(([value]) => value !== "plan" || may);
  return (
    <Page
      title={cluster.name}
      under={`${cluster.type} ${cluster.version} · ${rolesOf(cluster.nodes)}`}
      actions={
        <>
          <State word={health.word} tone={health.tone} />
          <Button component={Link} href={`/definitions/${cluster.definition}`} variant="default">
            Definition
          </Button>
          <ChangeMenu name={name} />
          {may && tab !== "plan" && (
            <Button component={Link} href={`/clusters/${name}/plan`}>
              Plan
            </Button>
          )}
        </>
      }
    >
      <Tabs value={tab} onChange={(next) => go(`/clusters/${name}/${next}`)} keepMounted={false}>
        <Tabs.List mb="md">
          {tabs.map(([value, label]) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          <OverviewTab cluster={cluster} />
        </Tabs.Panel>
        <Tabs.Panel value="plan">
          <PlanTab name={name} may={may} />
        </Tabs.Panel>
        <Tabs.Panel value="runs">
          <RunsTab name={name} />
        </Tabs.Panel>
        <Tabs.Panel value="backups">
          <BackupsTab name={name} />
        </Tabs.Panel>
        <Tabs.Panel value="certificates">
          <CertificatesTab name={name} />
        </Tabs.Panel>
        <Tabs.Panel value="capacity">
          <Suspense fallback={<Loader aria-label="loading" />}>
            <CapacityTab name={name} />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}
