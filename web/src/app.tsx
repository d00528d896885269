// Every address of the dashboard, and what stands there. Pages come when they are asked for.
import { Center, Loader } from "@mantine/core";
import { lazy, Suspense } from "react";
import { Redirect, Route, Switch } from "wouter";
import { SessionGate } from "./shell/SessionGate";
import { Shell } from "./shell/Shell";

const ClustersPage = lazy(() => import("./clusters/ClustersPage"));
const ClusterPage = lazy(() => import("./clusters/ClusterPage"));
const RunsPage = lazy(() => import("./runs/RunsPage"));
const RunPage = lazy(() => import("./runs/RunPage"));
const TopologyPage = lazy(() => import("./topology/TopologyPage"));
const DefinitionsPage = lazy(() => import("./definitions/DefinitionsPage"));
const DefinitionPage = lazy(() => import("./definitions/DefinitionPage"));
const ChangePage = lazy(() => import("./changes/ChangePage"));
const HostsPage = lazy(() => import("./hosts/HostsPage"));
const UsersPage = lazy(() => import("./account/UsersPage"));
const AccountPage = lazy(() => import("./account/AccountPage"));
const AuditPage = lazy(() => import("./audit/AuditPage"));

function Waiting() {
  return (
    <Center mih={240}>
      <Loader aria-label="loading" />
    </Center>
  );
}

export function App() {
  return (
    <SessionGate>
      <Shell>
        <Suspense fallback={<Waiting />}>
          <Switch>
            <Route path="/">
              <Redirect to="/clusters" />
            </Route>
            <Route path="/login">
              <Redirect to="/clusters" />
            </Route>
            <Route path="/clusters">
              <ClustersPage />
            </Route>
            <Route path="/clusters/:name/change/:what">
              {({ name, what }) => <ChangePage name={name} what={what} key={`${name} ${what}`} />}
            </Route>
            <Route path="/clusters/:name/:tab?">
              {({ name, tab }) => <ClusterPage name={name} tab={tab ?? "overview"} />}
            </Route>
            <Route path="/runs">
              <RunsPage />
            </Route>
            <Route path="/runs/:id">{({ id }) => <RunPage id={id} key={id} />}</Route>
            <Route path="/topology">
              <TopologyPage />
            </Route>
            <Route path="/hosts">
              <HostsPage />
            </Route>
            <Route path="/users">
              <UsersPage />
            </Route>
            <Route path="/account">
              <AccountPage />
            </Route>
            <Route path="/definitions">
              <DefinitionsPage />
            </Route>
            <Route path="/definitions/:name">{({ name }) => <DefinitionPage name={name} key={name} />}</Route>
            <Route path="/audit">
              <AuditPage />
            </Route>
            <Route>
              <p>There is no such page.</p>
            </Route>
          </Switch>
        </Suspense>
      </Shell>
    </SessionGate>
  );
}
