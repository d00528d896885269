import { Anchor, Button, Group, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { api, must } from "../api/client";
import type { AuditEntry } from "../api/documents";
import { audit } from "../api/queries";
import { type Column, DataTable } from "../parts/DataTable";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { moment } from "../parts/time";

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
  const found = useQuery(audit);
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
    <Page
      title="Audit"
      under="Who did what, when, from where, with which result"
      actions={
        <>
          <Button variant="default" onClick={() => verified.refetch()} loading={verified.isFetching}>
            Verify the chain
          </Button>
          <Button variant="default" component="a" href="/api/v1/audit/export?format=csv" download="audit.csv">
            Take away (CSV)
          </Button>
        </>
      }
    >
      <Stack>
        {verified.data && (
          <Group>
            <State
              word={verified.data.intact ? "intact" : "failed"}
              label={
                verified.data.intact
                  ? `${verified.data.entries} entries, none was changed`
                  : verified.data.faults.join("; ")
              }
            />
          </Group>
        )}
        <ProblemAlert error={found.error} />
        {found.data && (
          <DataTable
            label="Audit trail"
            rows={found.data}
            columns={COLUMNS}
            rowKey={(entry) => String(entry.number)}
            empty="Nothing was written yet."
          />
        )}
      </Stack>
    </Page>
  );
}
