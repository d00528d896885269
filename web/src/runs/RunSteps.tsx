import { Text } from "@mantine/core";
import { type Column, DataTable } from "../parts/DataTable";
import { State } from "../parts/State";
import { duration } from "../parts/time";
import type { LiveStep } from "./useSteps";

const COLUMNS: Column<LiveStep>[] = [
  { header: "State", value: (step) => step.state, show: (step) => <State word={step.state} /> },
  { header: "Where", value: (step) => step.target },
  { header: "Stage", value: (step) => step.stage },
  {
    header: "What",
    value: (step) => `${step.title} ${step.error}`,
    show: (step) => (
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
    ),
  },
  {
    header: "Took",
    value: (step) => step.seconds ?? 0,
    show: (step) => (step.seconds === null ? "" : duration(step.seconds)),
  },
];

export function RunSteps({ steps }: { steps: LiveStep[] }) {
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
