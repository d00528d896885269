import { Anchor, Button, Group, List, Loader, Select, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { api, must } from "../api/client";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { useMay } from "../shell/may";
import { Editor, type Verdict } from "./Editor";
import type { Schema } from "./schema";
import { useDefinition, useSave } from "./useDefinition";

export default function DefinitionPage({ name }: { name: string }) {
  const read = useDefinition(name);
  const schema = useQuery({
    queryKey: ["schema"],
    queryFn: async () => (await must(api.GET("/api/v1/schema"))) as unknown as Schema,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const error = read.error ?? schema.error;
  if (error) return <ProblemAlert error={error} />;
  if (!read.data || !schema.data) return <Loader aria-label="loading" />;
  return <Writing name={name} text={read.data.text} etag={read.data.etag} schema={schema.data} />;
}

function Writing({ name, text, etag, schema }: { name: string; text: string; etag: string; schema: Schema }) {
  const admin = useMay()("admin");
  const [begin, setBegin] = useState(text);
  const [draft, setDraft] = useState(text);
  const [verdict, setVerdict] = useState<Verdict>({});
  const save = useSave(name, etag);
  const fresh = etag === "";
  const changed = draft !== text;
  return (
    <Page
      title={`${name}.yaml`}
      under={
        fresh
          ? "A new file"
          : admin
            ? "Checked while you write; saved when you say so"
            : "Only administrators change definitions"
      }
      actions={
        <>
          <Judged verdict={verdict} />
          {admin && (
            <Button
              onClick={() => save.mutate(draft)}
              loading={save.isPending}
              disabled={!changed || Boolean(verdict.error)}
            >
              Save
            </Button>
          )}
        </>
      }
    >
      <Stack>
        {fresh && draft === begin && (
          <Starter
            onText={(found) => {
              setBegin(found);
              setDraft(found);
            }}
          />
        )}
        <ProblemAlert error={save.error} title="It was not saved" />
        {save.isSuccess && !changed && <SavedNext clusters={save.data.clusters} />}
        <Editor
          key={begin}
          name={name}
          text={begin}
          schema={schema}
          readOnly={!admin}
          onChange={setDraft}
          onVerdict={setVerdict}
        />
        <ProblemAlert error={verdict.error} />
        {(verdict.checked?.warnings.length ?? 0) > 0 && (
          <List size="sm">
            {verdict.checked?.warnings.map((warning) => (
              <List.Item key={`${warning.path} ${warning.message}`}>
                <b>{warning.path}</b> {warning.message}
              </List.Item>
            ))}
          </List>
        )}
        <Text size="xs" c="dimmed">
          Ctrl-Space completes. Escape, then Tab, leaves the editor by keyboard.
        </Text>
      </Stack>
    </Page>
  );
}

function Judged({ verdict }: { verdict: Verdict }) {
  if (verdict.error) {
    const count = verdict.error.faults.length;
    return (
      <State
        word="failed"
        label={count > 0 ? `${count} ${count === 1 ? "fault" : "faults"}` : "cannot be kept"}
      />
    );
  }
  return verdict.checked ? <State word="valid" label={`valid, ${verdict.checked.hosts} hosts`} /> : null;
}

function SavedNext({ clusters }: { clusters: string[] }) {
  return (
    <Group gap="xs">
      <State word="done" label="saved" />
      {clusters.map((cluster) => (
        <Anchor key={cluster} component={Link} href={`/clusters/${cluster}/plan`}>
          Plan {cluster}
        </Anchor>
      ))}
    </Group>
  );
}

function Starter({ onText }: { onText: (text: string) => void }) {
  const found = useQuery({
    queryKey: ["templates"],
    queryFn: async () => (await must(api.GET("/api/v1/templates"))).templates ?? [],
  });
  const take = async (name: string | null) => {
    if (!name) return;
    const asked = api.GET("/api/v1/templates/{name}", { params: { path: { name } }, parseAs: "text" });
    onText((await must(asked)) as unknown as string);
  };
  return (
    <Select
      maw={460}
      label="Begin with"
      data={(found.data ?? []).map((item) => ({
        value: item.name ?? "",
        label: `${item.name}: ${item.summary}`,
      }))}
      onChange={take}
      placeholder="an empty file, or a template"
    />
  );
}
