// A run while it runs: the picture that takes colour, the log of each host, how far it is, how long it still takes.
import { Anchor, Button, Loader, Stack, Tabs } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { api, must } from "../api/client";
import { run as runQuery } from "../api/queries";
import { useNarrow } from "../parts/narrow";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { ago } from "../parts/time";
import { useMay } from "../shell/may";
import { HostLog } from "./HostLog";
import { RunGraph } from "./RunGraph";
import { RunProgress } from "./RunProgress";
import { RunSteps } from "./RunSteps";
import { useLive } from "./useLive";
import { useSteps } from "./useSteps";

const GOING = new Set(["queued", "planning", "running"]);
const POLL_MS = 2500;

export default function RunPage({ id }: { id: string }) {
  const client = useQueryClient();
  const [wanted, want] = useState(1);
  const found = useQuery({
    ...runQuery(id),
    refetchInterval: ({ state }) =>
      state.data && !GOING.has(state.data.state) && state.data.attempt >= wanted ? false : POLL_MS,
  });
  const attempt = found.data?.attempt ?? 1;
  const live = useLive(id, attempt);
  const steps = useSteps(found.data, live);
  // The steps come to be when planning is over, and the end has its error: both are in the document only.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the live picture says when it is time
  useEffect(() => {
    client.invalidateQueries({ queryKey: ["run", id] });
    if (live.ended) for (const key of ["clusters", "status"]) client.invalidateQueries({ queryKey: [key] });
  }, [live.ended, live.last > 0]);
  const change = useMutation({
    mutationFn: (verb: "cancel" | "resume") =>
      must(api.POST(`/api/v1/runs/{run}/${verb}`, { params: { path: { run: id } } })),
    onSuccess: (_, verb) => {
      if (verb === "resume") want(attempt + 1);
      return client.invalidateQueries({ queryKey: ["run", id] });
    },
  });
  const narrow = useNarrow();
  const may = useMay()("operator", found.data?.cluster);
  if (found.error) return <ProblemAlert error={found.error} />;
  if (!found.data) return <Loader aria-label="loading" />;
  const run = found.data;
  // What was asked to go on does so when a runner takes it.
  const state = attempt < wanted ? "queued" : live.ended ? live.status || run.state : run.state;
  const going = GOING.has(state);
  const again = ["failed", "cancelled", "interrupted"].includes(state) && run.changed;
  return (
    <Page
      title={`${run.verb} of ${run.cluster}`}
      under={
        <>
          <span className="mono">{run.id}</span> by {run.requested_by || "the command line"},{" "}
          {ago(run.created)}
          {run.attempt > 1 && `, attempt ${run.attempt}`} ·{" "}
          <Anchor component={Link} href={`/clusters/${run.cluster}`} underline="always">
            {run.cluster}
          </Anchor>
        </>
      }
      actions={
        <>
          <State word={state} />
          {going && may && (
            <Button
              variant="default"
              onClick={() => change.mutate("cancel")}
              loading={change.isPending}
              disabled={run.cancel_requested}
            >
              {run.cancel_requested ? "Is being stopped" : "Stop"}
            </Button>
          )}
          {again && may && (
            <Button onClick={() => change.mutate("resume")} loading={change.isPending}>
              Go on
            </Button>
          )}
        </>
      }
    >
      <Stack gap="md">
        <RunProgress run={run} steps={steps} going={going} connected={live.connected} />
        <ProblemAlert error={change.error} />
        {!going && run.error && (
          <ProblemAlert error={new Error(String(run.error.detail ?? ""))} title="It ended with" />
        )}
        <Tabs defaultValue={narrow ? "steps" : "picture"} keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="picture">Picture</Tabs.Tab>
            <Tabs.Tab value="steps">Steps</Tabs.Tab>
            <Tabs.Tab value="log">Log</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="picture" pt="md">
            <Stack>
              <RunGraph steps={steps} cluster={run.cluster} />
              <HostLog lines={live.lines.slice(-200)} steps={steps} short />
            </Stack>
          </Tabs.Panel>
          <Tabs.Panel value="steps" pt="md">
            <RunSteps steps={steps} />
          </Tabs.Panel>
          <Tabs.Panel value="log" pt="md">
            <HostLog lines={live.lines} steps={steps} />
          </Tabs.Panel>
        </Tabs>
      </Stack>
    </Page>
  );
}
