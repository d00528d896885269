import { Autocomplete, Button, Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Schemas } from "../api/client";
import { versions } from "../api/queries";
import { ProblemAlert } from "../parts/ProblemAlert";
import type { Asking } from "./ChangePage";
import { Force } from "./Force";
import { forced } from "./kinds";

export function UpgradeForm({ cluster, said, plan }: Asking & { cluster: Schemas["ClusterDetails"] }) {
  const found = useQuery(versions(cluster.name));
  const [version, setVersion] = useState(said.get("version") ?? "");
  const [force, setForce] = useState(forced(said));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    plan({ version: version.trim(), ...(force ? { force: "yes" } : {}) });
  };
  return (
    <form onSubmit={submit} className="card">
      <Stack gap="sm">
        <Text size="sm">
          {cluster.name} is {cluster.version} by its definition. What was locked or imported is offered;
          another release can be written, and is refused when its artifacts are not here.
        </Text>
        <ProblemAlert error={found.error} />
        <Group align="flex-end">
          <Autocomplete
            label="Release"
            placeholder={cluster.version}
            data={(found.data?.held ?? []).filter((held) => held !== cluster.version)}
            value={version}
            onChange={setVersion}
            required
            maw={260}
          />
          <Button type="submit" disabled={!version.trim()}>
            Plan the upgrade
          </Button>
        </Group>
        <Force label="Also where pods without a controller would be lost" force={force} onChange={setForce} />
      </Stack>
    </form>
  );
}
