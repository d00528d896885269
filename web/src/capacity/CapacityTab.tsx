// What a cluster uses, whether there is room, and the arithmetic of it.
import { Button, Group, List, Loader, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { capacity, utilisation } from "../api/queries";
import { type Column, DataTable } from "../parts/DataTable";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { bytes, moment } from "../parts/time";
import Chart from "./Chart";
import { Room } from "./Room";
import { seriesOf } from "./series";

type Node = Schemas["NodeUsage"];
const cores = (count: number | null | undefined) => (count == null ? "" : count.toFixed(2));

const NODES: Column<Node>[] = [
  { header: "Node", value: (node) => node.name },
  {
    header: "CPU used",
    value: (node) => node.cpu.used,
    show: (node) => `${cores(node.cpu.used)} of ${cores(node.cpu.size)}`,
  },
  {
    header: "CPU requested",
    value: (node) => node.cpu.requested ?? 0,
    show: (node) => cores(node.cpu.requested),
  },
  {
    header: "Memory used",
    value: (node) => node.memory.used,
    show: (node) => `${bytes(node.memory.used)} of ${bytes(node.memory.size)}`,
  },
  {
    header: "Memory requested",
    value: (node) => node.memory.requested ?? 0,
    show: (node) => bytes(node.memory.requested ?? 0),
  },
  {
    header: "Pods",
    value: (node) => node.pods.used,
    show: (node) => `${node.pods.used} of ${node.pods.size}`,
  },
  { header: "Takes pods", value: (node) => (node.takes_pods ? "yes" : "no") },
];

export default function CapacityTab({ name }: { name: string }) {
  const [hours, setHours] = useState("24");
  const client = useQueryClient();
  const used = useQuery(utilisation(name, Number(hours)));
  const room = useQuery(capacity(name));
  const measure = useMutation({
    mutationFn: () =>
      must(
        api.GET("/api/v1/clusters/{name}/utilisation", { params: { path: { name }, query: { now: true } } }),
      ),
    onSettled: () =>
      Promise.all(
        ["utilisation", "capacity"].map((key) => client.invalidateQueries({ queryKey: [key, name] })),
      ),
  });
  const charts = useMemo(() => {
    const history = used.data?.history ?? [];
    return [
      { title: "CPU", unit: "cores", columns: seriesOf(history, "cpu") },
      { title: "Memory", unit: "GB", columns: seriesOf(history, "memory") },
    ];
  }, [used.data]);
  const measured = used.data?.at != null;
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Text c="dimmed" size="sm">
          {used.data?.at
            ? `Measured ${moment(used.data.at)} by ${used.data.source}`
            : "Nothing was measured yet; the server measures on its schedule."}
        </Text>
        <Group gap="xs">
          <SegmentedControl
            value={hours}
            onChange={setHours}
            aria-label="How far back"
            size="xs"
            data={[
              { value: "6", label: "6 hours" },
              { value: "24", label: "1 day" },
              { value: "168", label: "1 week" },
              { value: "720", label: "30 days" },
            ]}
          />
          <Button size="xs" variant="default" onClick={() => measure.mutate()} loading={measure.isPending}>
            Measure now
          </Button>
        </Group>
      </Group>
      {(used.isPending || room.isPending) && <Loader aria-label="loading" />}
      <ProblemAlert error={used.error} />
      <ProblemAlert error={measure.error} title="It could not be measured" />
      {used.data && used.data.faults.length > 0 && (
        <List size="sm">
          {used.data.faults.map((fault) => (
            <List.Item key={fault}>
              <State word="warning" label={fault} />
            </List.Item>
          ))}
        </List>
      )}
      {used.data &&
        used.data.history.length > 1 &&
        charts.map(({ title, unit, columns }) => (
          <div key={title}>
            <Title order={2} size="h4">
              {title} ({unit})
            </Title>
            <Chart title={title} columns={columns} />
          </div>
        ))}
      {room.data && measured && <Room capacity={room.data} />}
      {used.data && measured && (
        <DataTable
          label="Nodes"
          rows={used.data.nodes}
          columns={NODES}
          rowKey={(node) => node.name}
          empty="No node was measured."
        />
      )}
    </Stack>
  );
}
