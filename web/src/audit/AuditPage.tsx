// Who did what: a page at a time, as the server has it; what is asked for stands in the address.
import { Anchor, Button, Checkbox, Group, Menu, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link, useSearchParams } from "wouter";
import { api, must } from "../api/client";
import type { AuditEntry } from "../api/documents";
import { audit } from "../api/queries";
import { type Column, DataTable } from "../parts/DataTable";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { moment } from "../parts/time";
import { FIELDS, filtersOf } from "./filters";

const COLUMNS: Column<AuditEntry>[] = [
  { header: "Number", value: (entry) => entry.number },
  { header: "When", value: (entry) => entry.at, show: (entry) => moment(entry.at) },
  { header: "Who", value: (entry) => entry.who || "nobody known" },
  { header: "By way of", value: (entry) => `${entry.origin} ${entry.address}`.trim() },
  { header: "What", value: (entry) => entry.action },
  { header: "On", value: (entry) => entry.target },
  { header: "Result", value: (entry) => entry.result, show: (entry) => <State word={entry.result} /> },
  {
    header: "Run",
    value: (entry) => entry.run,
    show: (entry) =>
      entry.run && (
        <Anchor component={Link} href={`/runs/${entry.run}`} className="mono">
          {entry.run}
        </Anchor>
      ),
  },
];

export default function AuditPage() {
  const [said, say] = useSearchParams();
  const filters = filtersOf(said);
  const before = Number(said.get("before") ?? 0);
  const found = useQuery({ ...audit({ ...filters, before }), placeholderData: keepPreviousData });
  const turn = (next: number) => {
    const written = new URLSearchParams(said);
    if (next > 0) written.set("before", String(next));
    else written.delete("before");
    say(written);
  };
  return (
    <Page
      title="Audit"
      under="Who did what, when, from where, with which result"
      actions={
        <>
          <Verify />
          <Take filters={filters} />
        </>
      }
    >
      <Stack>
        <Filters key={said.toString()} said={said} onSay={say} />
        <ProblemAlert error={found.error} />
        {found.data && (
          <DataTable
            label="Audit trail"
            rows={found.data.entries}
            columns={COLUMNS}
            rowKey={(entry) => String(entry.number)}
            empty="There is no such entry."
            searched={false}
          />
        )}
        {found.data && (
          <Group justify="space-between">
            <Button variant="default" onClick={() => turn(0)} disabled={before === 0}>
              The newest
            </Button>
            <Button
              variant="default"
              onClick={() => turn(found.data.next)}
              disabled={found.data.next === 0}
              loading={found.isPlaceholderData}
            >
              Older
            </Button>
          </Group>
        )}
      </Stack>
    </Page>
  );
}

function Filters({ said, onSay }: { said: URLSearchParams; onSay: (said: URLSearchParams) => void }) {
  const [words, setWords] = useState(() => FIELDS.map(({ name }) => said.get(name) ?? ""));
  const [incidents, setIncidents] = useState(said.get("incidents") === "yes");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const next = new URLSearchParams();
    for (const [at, { name }] of FIELDS.entries()) if (words[at]?.trim()) next.set(name, words[at].trim());
    if (incidents) next.set("incidents", "yes");
    onSay(next);
  };
  return (
    <form onSubmit={submit} aria-label="Which entries">
      <SimpleGrid cols={{ base: 2, sm: 4, lg: 7 }} spacing="xs" verticalSpacing="xs" mb="xs">
        {FIELDS.map(({ name, label, type }, at) => (
          <TextInput
            key={name}
            label={label}
            type={type}
            size="xs"
            value={words[at]}
            onChange={(event) => setWords(words.with(at, event.currentTarget.value))}
          />
        ))}
      </SimpleGrid>
      <Group gap="sm">
        <Checkbox
          label="Incidents only"
          size="xs"
          checked={incidents}
          onChange={(event) => setIncidents(event.currentTarget.checked)}
        />
        <Button type="submit" size="xs">
          Find
        </Button>
        {said.size > 0 && (
          <Button size="xs" variant="default" onClick={() => onSay(new URLSearchParams())}>
            All
          </Button>
        )}
      </Group>
    </form>
  );
}

function Verify() {
  const verified = useQuery({
    queryKey: ["audit-verify"],
    queryFn: async () =>
      (await must(api.GET("/api/v1/audit/verify"))) as unknown as {
        intact: boolean;
        entries: number;
        faults: string[];
      },
    enabled: false,
  });
  return (
    <>
      {verified.error && <Text size="sm">{verified.error.message}</Text>}
      {verified.data && (
        <State
          word={verified.data.intact ? "intact" : "failed"}
          label={
            verified.data.intact
              ? `${verified.data.entries} entries, none was changed`
              : verified.data.faults.join("; ")
          }
        />
      )}
      <Button variant="default" onClick={() => verified.refetch()} loading={verified.isFetching}>
        Verify the chain
      </Button>
    </>
  );
}

const FORMS = {
  csv: "CSV, for a spreadsheet",
  jsonl: "JSON lines, for programs",
  report: "A report, for people",
};
const SUFFIX: Record<string, string> = { csv: "csv", jsonl: "jsonl", report: "md" };

/** What is shown, without the end of the page. */
function Take({ filters }: { filters: Record<string, string | number | boolean> }) {
  const words = Object.entries(filters).map(([key, value]) => [key, String(value)]);
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <Button variant="default" rightSection={<span aria-hidden="true">▾</span>}>
          Take away
        </Button>
      </Menu.Target>
      <Menu.Dropdown aria-label="Forms of the export">
        {Object.entries(FORMS).map(([form, label]) => (
          <Menu.Item
            key={form}
            component="a"
            href={`/api/v1/audit/export?${new URLSearchParams([["format", form], ...words])}`}
            download={`audit.${SUFFIX[form]}`}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
