// Who may come in, and do what; and every token there is. For administrators.
import { Button, Group, Stack, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { session, tokens, users } from "../api/queries";
import { Certain } from "../parts/Certain";
import { type Column, DataTable } from "../parts/DataTable";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { day } from "../parts/time";
import { TokenTable } from "./TokenTable";
import { UserDialog } from "./UserDialog";

type User = Schemas["UserLine"];

export default function UsersPage() {
  const client = useQueryClient();
  const me = useQuery(session).data?.name;
  const found = useQuery(users);
  const all = useQuery(tokens);
  const [edited, edit] = useState<User | "new" | null>(null);
  const settled = () => client.invalidateQueries({ queryKey: ["users"] });
  const change = useMutation({
    mutationFn: ({ name, disabled }: User) =>
      must(api.PATCH("/api/v1/users/{name}", { params: { path: { name } }, body: { disabled: !disabled } })),
    onSettled: settled,
  });
  const remove = useMutation({
    mutationFn: (name: string) => must(api.DELETE("/api/v1/users/{name}", { params: { path: { name } } })),
    onSettled: () => Promise.all([settled(), client.invalidateQueries({ queryKey: ["tokens"] })]),
  });
  const lock = change.mutate;
  const take = remove.mutate;
  const columns = useMemo(() => columnsOf(me ?? "", edit, lock, take), [me, lock, take]);
  return (
    <Page
      title="Users"
      under="Who may come in, and do what"
      actions={<Button onClick={() => edit("new")}>Add a user</Button>}
    >
      <Stack gap="xl">
        <div>
          <ProblemAlert error={found.error ?? change.error ?? remove.error} />
          {found.data && (
            <DataTable
              label="Users"
              rows={found.data}
              columns={columns}
              rowKey={(user) => user.name}
              empty="There is nobody yet."
            />
          )}
        </div>
        <div>
          <Title order={2} size="h4" mb="sm">
            Tokens of all
          </Title>
          <ProblemAlert error={all.error} />
          {all.data && <TokenTable rows={all.data} owners />}
        </div>
      </Stack>
      {edited && (
        <UserDialog
          user={edited === "new" ? undefined : edited}
          onClose={() => edit(null)}
          onDone={settled}
        />
      )}
    </Page>
  );
}

function columnsOf(
  me: string,
  edit: (user: User) => void,
  lock: (user: User) => void,
  remove: (name: string) => void,
): Column<User>[] {
  return [
    { header: "Name", value: (user) => user.name },
    { header: "May", value: (user) => user.roles.join(", ") || "nothing" },
    { header: "From", value: (user) => (user.origin === "local" ? "here" : "the provider") },
    { header: "Since", value: (user) => user.created, show: (user) => day(user.created) },
    {
      header: "State",
      value: (user) => (user.disabled ? "locked out" : "may come in"),
      show: (user) =>
        user.disabled ? <State word="locked out" tone="warn" /> : <State word="ok" label="may come in" />,
    },
    {
      header: "Actions",
      acts: true,
      value: () => "",
      show: (user) => (
        <Group gap={6} wrap="nowrap">
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => edit(user)}
            aria-label={`Change ${user.name}`}
          >
            Change
          </Button>
          {user.name !== me && (
            <>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => lock(user)}
                aria-label={user.disabled ? `Let in ${user.name}` : `Lock out ${user.name}`}
              >
                {user.disabled ? "Let in" : "Lock out"}
              </Button>
              <Certain
                question={`Remove ${user.name}?`}
                about="Tokens and sessions of the user go too. What was done stays in the audit trail."
                act="Remove"
                onAgree={() => remove(user.name)}
              >
                {(ask) => (
                  <Button
                    size="compact-sm"
                    variant="default"
                    onClick={ask}
                    aria-label={`Remove ${user.name}`}
                  >
                    Remove
                  </Button>
                )}
              </Certain>
            </>
          )}
        </Group>
      ),
    },
  ];
}
