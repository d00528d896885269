// What would be done, field by field, and the button that lets exactly that be done.
import { Alert, Button, Group, List, Loader, Stack, Tabs, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { api, must, onceOnly } from "../api/client";
import type { PlanDocument } from "../api/documents";
import type { Wish } from "../changes/kinds";
import { ProblemAlert } from "../parts/ProblemAlert";
import { Scroll } from "../parts/Scroll";
import { State } from "../parts/State";
import { duration } from "../parts/time";
import { ApproveDialog } from "./ApproveDialog";
import { PlanSteps } from "./PlanSteps";

interface Props {
  name: string;
  wish: Wish;
  /** Whether whoever looks may have it done. */
  may: boolean;
  /** What is done, as the dialog and its button say it. */
  act?: string;
  /** Data is lost by it: the name of the cluster must be typed. */
  grave?: boolean;
  nothing?: string;
}

export function PlanView({ name, wish, may, act = "Apply", grave = false, nothing }: Props) {
  const [, go] = useLocation();
  const client = useQueryClient();
  const [asking, ask] = useDisclosure(false);
  const made = useQuery({
    queryKey: ["plan", name, wish],
    queryFn: async () =>
      (await must(
        api.POST("/api/v1/clusters/{name}/plan", { params: { path: { name } }, body: wish }),
      )) as unknown as PlanDocument,
    staleTime: 60_000,
    refetchOnWindowFocus: false,
    retry: false,
  });
  const approve = useMutation({
    mutationFn: (digest: string) =>
      must(
        api.POST("/api/v1/clusters/{name}/plans/{digest}/run", {
          params: { path: { name, digest }, header: onceOnly() },
        }),
      ),
    onSuccess: (run) => {
      client.removeQueries({ queryKey: ["plan", name] });
      go(`/runs/${run.id}`);
    },
  });
  const again = (
    <Button variant="default" onClick={() => made.refetch()} loading={made.isFetching}>
      Plan again
    </Button>
  );
  if (made.isPending) {
    return (
      <Group>
        <Loader size="sm" aria-label="planning" />
        <Text>The hosts are looked at, and the plan is made. Nothing is changed.</Text>
      </Group>
    );
  }
  if (made.error) {
    return (
      <Stack>
        <ProblemAlert error={made.error} title="There is no plan" />
        <Group>{again}</Group>
      </Stack>
    );
  }
  const plan = made.data;
  return (
    <Stack>
      <Group justify="space-between" className="card">
        <Summary plan={plan} nothing={nothing} />
        <Group gap="xs">
          {again}
          {plan.steps.length > 0 && may && (
            <Button color={grave ? "red" : undefined} onClick={ask.open}>
              Approve
            </Button>
          )}
        </Group>
      </Group>
      <ProblemAlert error={approve.error} title="It was not begun" />
      {plan.notes.length > 0 && (
        <Alert color="yellow" variant="outline" py="xs" title="To know">
          <List size="sm">
            {plan.notes.map((note) => (
              <List.Item key={note}>{note}</List.Item>
            ))}
          </List>
        </Alert>
      )}
      {plan.steps.length > 0 && (
        <Tabs defaultValue="changes" keepMounted={false}>
          <Tabs.List mb="sm">
            <Tabs.Tab value="changes">Changes</Tabs.Tab>
            <Tabs.Tab value="runbook">Runbook</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="changes">
            <PlanSteps plan={plan} />
          </Tabs.Panel>
          <Tabs.Panel value="runbook">
            <Scroll className="log" aria-label="Runbook" style={{ maxHeight: 640, whiteSpace: "pre-wrap" }}>
              {plan.runbook}
            </Scroll>
          </Tabs.Panel>
        </Tabs>
      )}
      <ApproveDialog
        plan={plan}
        act={act}
        grave={grave}
        opened={asking}
        busy={approve.isPending}
        onClose={ask.close}
        onAgree={() => approve.mutate(plan.digest, { onSettled: ask.close })}
      />
    </Stack>
  );
}

function Summary({ plan, nothing }: { plan: PlanDocument; nothing?: string }) {
  const changes = plan.steps.reduce((sum, step) => sum + step.changes.length, 0);
  const disrupts = plan.disruption !== "nothing";
  return (
    <div>
      <Text fw={600} data-testid="plan-summary">
        {plan.steps.length === 0
          ? (nothing ?? "Nothing to do: the cluster is what its definition says.")
          : `${counted(plan.steps.length, "step")} on ${counted(plan.hosts.length, "host")}, ${counted(changes, "change")}, about ${duration(plan.estimate)}`}
      </Text>
      <Group gap="xs" mt={4}>
        <State word={disrupts ? "warning" : "ok"} label={disrupts ? plan.disruption : "disrupts nothing"} />
        <Text size="xs" c="dimmed" className="mono">
          plan {plan.digest.slice(0, 12)}
        </Text>
      </Group>
    </div>
  );
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
