import { Button, Group, Loader, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { backups } from "../api/queries";
import { Faults } from "../parts/Faults";
import { ProblemAlert } from "../parts/ProblemAlert";
import { moment } from "../parts/time";
import type { Asking } from "./ChangePage";
import { Force } from "./Force";
import { forced } from "./kinds";

export function RestoreForm({ name, said, plan }: Asking & { name: string }) {
  const found = useQuery(backups(name));
  const rows = found.data?.backups ?? [];
  const [way, setWay] = useState(said.has("at") ? "at" : "backup");
  const [backup, setBackup] = useState(said.get("backup"));
  const [at, setAt] = useState(said.has("at") ? written(Number(said.get("at"))) : "");
  const [force, setForce] = useState(forced(said));
  const chosen = backup ?? rows[0]?.id ?? null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const more: Record<string, string> = force ? { force: "yes" } : {};
    if (way === "at") plan({ at: String(new Date(at).getTime() / 1000), ...more });
    else plan({ backup: chosen ?? "latest", go: "yes", ...more });
  };
  if (found.isPending) return <Loader aria-label="loading" />;
  return (
    <form onSubmit={submit} className="card">
      <Stack gap="sm" align="flex-start">
        <ProblemAlert error={found.error} />
        <Faults faults={found.data?.faults} />
        {found.data && rows.length === 0 && <Text>There is no backup yet.</Text>}
        <SegmentedControl
          aria-label="How it is said"
          value={way}
          onChange={setWay}
          data={[
            { value: "backup", label: "A backup" },
            { value: "at", label: "As it was at" },
          ]}
        />
        <Group align="flex-end" w="100%">
          {way === "at" ? (
            <TextInput
              type="datetime-local"
              label="Time"
              description="The newest backup that is not younger"
              value={at}
              onChange={(event) => setAt(event.currentTarget.value)}
              required
            />
          ) : (
            <Select
              label="Backup"
              data={rows.map((row) => ({ value: row.id, label: `${moment(row.created)} · ${row.id}` }))}
              value={chosen}
              onChange={setBackup}
              allowDeselect={false}
              searchable
              style={{ flexGrow: 1 }}
              maw={520}
            />
          )}
          <Button type="submit" disabled={way === "at" ? !at : !chosen}>
            Plan the restoration
          </Button>
        </Group>
        <Force label="Also when a control plane host cannot be reached" force={force} onChange={setForce} />
      </Stack>
    </form>
  );
}

/** A moment (seconds) as the field of a browser writes it, in local time. */
function written(seconds: number): string {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
