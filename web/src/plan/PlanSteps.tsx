// The steps of a plan by stage; each opens to what it changes.
import { Accordion, Group, Select, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import type { PlanDocument, PlanStep } from "../api/documents";
import { State } from "../parts/State";
import { Diff } from "./Diff";

const AT_ONCE = 200;

export function PlanSteps({ plan }: { plan: PlanDocument }) {
  const [host, setHost] = useState<string | null>(null);
  const [most, setMost] = useState(AT_ONCE);
  const targets = useMemo(() => [...new Set(plan.steps.map((step) => step.target))].sort(), [plan]);
  const steps = host ? plan.steps.filter((step) => step.target === host) : plan.steps;
  return (
    <div>
      <Select
        mb="sm"
        w={220}
        size="xs"
        data={targets}
        value={host}
        onChange={setHost}
        placeholder="All hosts"
        aria-label="Steps of which host"
        clearable
      />
      <Accordion variant="separated" multiple chevronPosition="left" keepMounted={false}>
        {steps.slice(0, most).map((step) => (
          <Accordion.Item key={step.id} value={step.id}>
            <Accordion.Control>
              <Head step={step} />
            </Accordion.Control>
            <Accordion.Panel>
              <Diff changes={step.changes} />
            </Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
      {steps.length > most && (
        <button type="button" onClick={() => setMost(most + AT_ONCE)}>
          Show more of {steps.length} steps
        </button>
      )}
    </div>
  );
}

function Head({ step }: { step: PlanStep }) {
  return (
    <Group gap="xs" justify="space-between">
      <Text size="sm">
        <b>{step.target}</b> {step.title}
      </Text>
      <Group gap="xs">
        <Text size="xs" c="dimmed">
          {step.stage}, {step.changes.length} {step.changes.length === 1 ? "change" : "changes"}
        </Text>
        {step.disruption !== "NONE" && <State word="warning" label={step.disruption.toLowerCase()} />}
      </Group>
    </Group>
  );
}
