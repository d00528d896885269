import { Alert, Group, Loader, Progress, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Schemas } from "../api/client";
import { duration } from "../parts/time";
import { timeLeft } from "./timeLeft";
import type { LiveStep } from "./useSteps";

const ENDED = new Set(["done", "failed", "skipped", "cancelled"]);

function useNow(ticking: boolean): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    if (!ticking) return;
    const timer = setInterval(() => setNow(Date.now() / 1000), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}

export function RunProgress({
  run,
  steps,
  going,
  connected,
}: {
  run: Schemas["RunDetails"];
  steps: LiveStep[];
  going: boolean;
  connected: boolean;
}) {
  const now = useNow(going);
  const ended = steps.filter((step) => ENDED.has(step.state)).length;
  const failed = steps.filter((step) => step.state === "failed").length;
  if (steps.length === 0) {
    return going ? (
      <Group gap="sm">
        <Loader size="sm" aria-label="planning" />
        <Text>
          {run.state === "queued"
            ? "It waits for a runner."
            : "The hosts are looked at, and the plan is made."}
        </Text>
      </Group>
    ) : (
      <Text>Nothing was to be done.</Text>
    );
  }
  const share = (100 * ended) / steps.length;
  const running = steps.filter((step) => step.state === "running");
  const took = (run.finished ?? now) - run.created;
  return (
    <div className="card">
      <Group justify="space-between" mb={8} gap="xs">
        <Text fw={600} data-testid="count">
          {ended} of {steps.length} steps
          {failed > 0 && `, ${failed} failed`}
        </Text>
        <Text c="dimmed" size="sm">
          {going
            ? `about ${duration(timeLeft(steps, now))} left, ${duration(took)} so far`
            : `took ${duration(took)}`}
        </Text>
      </Group>
      <Progress
        value={share}
        color={failed > 0 ? "red" : share === 100 ? "green" : "indigo"}
        size="lg"
        aria-label="Steps that have ended"
      />
      {going && running.length > 0 && (
        <Text size="sm" c="dimmed" mt={8} truncate="end">
          {running
            .slice(0, 4)
            .map((step) => `${step.target}: ${step.doing || step.title}`)
            .join(" · ")}
          {running.length > 4 && ` · and ${running.length - 4} more`}
        </Text>
      )}
      {going && !connected && (
        <Alert color="yellow" mt="sm">
          The connection broke; it is tried again. The run goes on.
        </Alert>
      )}
    </div>
  );
}
