import { Text } from "@mantine/core";
import { type Column, DataTable } from "../parts/DataTable";
import { useNarrow } from "../parts/narrow";
import { State } from "../parts/State";
import { duration } from "../parts/time";
import type { LiveStep } from "./useSteps";

const COLUMNS: Column<LiveStep>[] = [
  { header: "State", value: (step) => step.state, show: (step) => <State word={step.state} /> },
  { header: "Where", value: (step) => step.target },
  { header: "Stage", value: (step) => step.stage },
  { header: "What", value: (step) => `${step.title} ${step.error}`, show: (step) => <What step={step} /> },
  {
    header: "Took",
    value: (step) => step.seconds ?? 0,
    show: (step) => (step.seconds === null ? "" : duration(step.seconds)),
  },
];

function What({ step }: { step: LiveStep }) {
  return (
    <>
      {step.title}
      {step.doing && (
        <Text size="xs" c="dimmed">
          {step.doing}
        </Text>
      )}
      {step.error && (
        <Text size="xs" className="before">
          {step.error}
        </Text>
      )}
    </>
  );
}

export function RunSteps({ steps }: { steps: LiveStep[] }) {
  const narrow = useNarrow();
  if (narrow && steps.length > 0) return <StepList steps={steps} />;
  return (
    <DataTable
      label="Steps"
      rows={steps}
      columns={COLUMNS}
      rowKey={(step) => step.id}
      empty="There are no steps."
    />
  );
}

/** For a phone: what is in hand and what failed first, then the rest in the order of the plan. */
function StepList({ steps }: { steps: LiveStep[] }) {
  const first = (step: LiveStep) => (step.state === "running" ? 0 : step.state === "failed" ? 1 : 2);
  const sorted = steps.toSorted((a, b) => first(a) - first(b));
  return (
    <ul className="steps" aria-label="Steps">
      {sorted.map((step) => (
        <li key={step.id}>
          <span className="steps-head">
            <b>{step.target}</b>
            <State word={step.state} />
          </span>
          <What step={step} />
          {step.seconds !== null && step.state !== "running" && (
            <Text size="xs" c="dimmed">
              {duration(step.seconds)}
            </Text>
          )}
        </li>
      ))}
    </ul>
  );
}
