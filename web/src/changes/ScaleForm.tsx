// So many hosts, or exactly these: by number the first free hosts of the Site come, and the last of the group leave.
import {
  Button,
  Group,
  MultiSelect,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Text,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Schemas } from "../api/client";
import { definitions, freeHosts } from "../api/queries";
import { ProblemAlert } from "../parts/ProblemAlert";
import type { Asking } from "./ChangePage";
import { freeFor, type Group as NodeGroup } from "./free";

export function ScaleForm({ cluster, said, plan }: Asking & { cluster: Schemas["ClusterDetails"] }) {
  const groups = (cluster.document.nodeGroups ?? []) as NodeGroup[];
  const [name, setName] = useState(
    said.get("group") ?? groups.find((group) => group.role === "WORKER")?.name ?? groups[0]?.name ?? "",
  );
  const group = groups.find((item) => item.name === name);
  return (
    <Stack className="card" gap="sm">
      <Select
        label="Group of nodes"
        maw={320}
        data={groups.map((item) => ({ value: item.name, label: `${item.name} (${sizeOf(item)})` }))}
        value={name}
        onChange={(next) => next && setName(next)}
        allowDeselect={false}
      />
      {group ? (
        <Size key={group.name} cluster={cluster} group={group} said={said} plan={plan} />
      ) : (
        <Text size="sm">The cluster has no group of this name.</Text>
      )}
    </Stack>
  );
}

function sizeOf(group: NodeGroup): number {
  return group.hosts?.length || group.count || 0;
}

function Size({
  cluster,
  group,
  said,
  plan,
}: Asking & { cluster: Schemas["ClusterDetails"]; group: NodeGroup }) {
  const mine = said.get("group") === group.name;
  const counted = !group.hosts?.length && Boolean(group.count);
  const [way, setWay] = useState(counted || (mine && said.has("count")) ? "count" : "hosts");
  const [count, setCount] = useState<number | string>(Number(mine && said.get("count")) || sizeOf(group));
  const [hosts, setHosts] = useState(mine && said.has("host") ? said.getAll("host") : (group.hosts ?? []));
  const free = useQuery(freeHosts);
  const files = useQuery(definitions);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (way === "count") plan({ group: group.name, count: String(count) });
    else plan({ group: group.name, host: hosts, ...(hosts.length === 0 ? { none: "yes" } : {}) });
  };
  const choice = freeFor(cluster.definition, free.data ?? [], files.data ?? []);
  return (
    <form onSubmit={submit}>
      <Stack gap="sm" align="flex-start">
        {!counted && (
          <SegmentedControl
            aria-label="How it is said"
            value={way}
            onChange={setWay}
            data={[
              { value: "hosts", label: "These hosts" },
              { value: "count", label: "So many" },
            ]}
          />
        )}
        <ProblemAlert error={free.error ?? files.error} />
        <Group align="flex-end" w="100%">
          {way === "count" ? (
            <NumberInput
              label="Machines in the group"
              min={0}
              max={5000}
              allowDecimal={false}
              value={count}
              onChange={setCount}
              w={220}
            />
          ) : (
            <MultiSelect
              label="Hosts of the group"
              description={`${choice.length} of the Site ${choice.length === 1 ? "is" : "are"} free`}
              data={[...new Set([...(group.hosts ?? []), ...choice])]}
              value={hosts}
              onChange={setHosts}
              searchable
              selectFirstOptionOnChange
              hidePickedOptions
              style={{ flexGrow: 1 }}
              maw={640}
            />
          )}
          <Button type="submit" disabled={way === "count" && count === ""}>
            Plan the change
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
