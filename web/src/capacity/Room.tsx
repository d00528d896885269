import { List, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import type { Schemas } from "../api/client";
import { State } from "../parts/State";
import { bytes } from "../parts/time";

type Capacity = Schemas["CapacityDocument"];
type Resource = Capacity["resources"][number];

function amount(resource: Resource, value: number): string {
  return resource.resource === "memory" ? bytes(value) : `${value.toFixed(2)} ${resource.unit}`;
}

/** Whether there is room, also when the largest node is lost, until when, and how that was computed. */
export function Room({ capacity }: { capacity: Capacity }) {
  return (
    <Stack gap="md">
      <Title order={2} size="h4">
        Is there room?
      </Title>
      {capacity.recommendations.map((item) => (
        <div key={`${item.check} ${item.subject}`} className="card">
          <State word={item.grade} label={`${item.check}: ${item.subject}`} />
          <Text mt={6}>{item.text}</Text>
          {item.remedy && (
            <Text size="sm">
              <b>Way out:</b> {item.remedy}
            </Text>
          )}
          <Arithmetic lines={item.arithmetic} />
        </div>
      ))}
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {capacity.resources.map((resource) => (
          <div key={resource.resource} className="card">
            <Text fw={600}>{resource.resource}</Text>
            <div className="stat">
              {amount(resource, Math.abs(resource.headroom))} {resource.headroom < 0 ? "too little" : "free"}
            </div>
            <Text size="sm" c="dimmed">
              of {amount(resource, resource.limit)} that may be taken so that the loss of{" "}
              {resource.largest_node} is survived
              {resource.days_until_full !== null &&
                `; full in about ${Math.round(resource.days_until_full)} days`}
            </Text>
            <Arithmetic lines={resource.arithmetic} />
          </div>
        ))}
      </SimpleGrid>
    </Stack>
  );
}

function Arithmetic({ lines }: { lines: string[] }) {
  if (lines.length === 0) return null;
  return (
    <details>
      <summary>How that is computed</summary>
      <List size="sm">
        {lines.map((line) => (
          <List.Item key={line} className="mono">
            {line}
          </List.Item>
        ))}
      </List>
    </details>
  );
}
