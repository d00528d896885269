import { Anchor, Button, Group, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link, useLocation } from "wouter";
import type { Schemas } from "../api/client";
import { definitions } from "../api/queries";
import { type Column, DataTable } from "../parts/DataTable";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { useMay } from "../shell/may";
import { NAME } from "../shell/roles";

type File = Schemas["DefinitionFile"];

const COLUMNS: Column<File>[] = [
  {
    header: "File",
    value: (file) => file.file,
    show: (file) => (
      <Anchor component={Link} href={`/definitions/${file.name}`} className="mono">
        {file.file}
      </Anchor>
    ),
  },
  { header: "Documents", value: (file) => file.kinds.join(", ") },
  { header: "Clusters", value: (file) => file.clusters.join(", ") },
  {
    header: "State",
    value: (file) => file.faults.length,
    show: (file) =>
      file.faults.length > 0 ? (
        <State word="failed" label={`${file.faults.length} faults`} />
      ) : (
        <State word="valid" />
      ),
  },
];

const WRITTEN = new RegExp(`^${NAME}$`);

export default function DefinitionsPage() {
  const [, go] = useLocation();
  const [name, setName] = useState("");
  const found = useQuery(definitions);
  const may = useMay()("admin");
  const begin = (event: FormEvent) => {
    event.preventDefault();
    if (WRITTEN.test(name)) go(`/definitions/${name}`);
  };
  return (
    <Page
      title="Definitions"
      under="The files that clusters are made from"
      actions={
        may && (
          <form onSubmit={begin}>
            <Group gap="xs" wrap="nowrap">
              <TextInput
                aria-label="Name of a new definition"
                placeholder="a new file"
                value={name}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <Button type="submit" variant="default">
                Write
              </Button>
            </Group>
          </form>
        )
      }
    >
      <ProblemAlert error={found.error} />
      {found.data && (
        <DataTable
          label="Definitions"
          rows={found.data}
          columns={COLUMNS}
          rowKey={(file) => file.name}
          empty="There is no definition yet."
        />
      )}
    </Page>
  );
}
