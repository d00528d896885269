// What somebody has here: what they may do, their password, and their tokens.
import { Button, Group, PasswordInput, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, must } from "../api/client";
import { session, tokens } from "../api/queries";
import { Page } from "../parts/Page";
import { ProblemAlert } from "../parts/ProblemAlert";
import { NewToken } from "./NewToken";
import { TokenTable } from "./TokenTable";

export default function AccountPage() {
  const known = useQuery(session);
  const found = useQuery(tokens);
  const me = known.data;
  if (!me) return null;
  return (
    <Page title="Your account" under={`${me.name}, who may: ${me.roles.join(", ") || "nothing"}`}>
      <Stack gap="xl">
        <div>
          <Title order={2} size="h4" mb={4}>
            Tokens
          </Title>
          <Text size="sm" c="dimmed" mb="sm">
            For programs that ask the API. A token allows at most what you may.
          </Text>
          <NewToken roles={me.roles} />
          <ProblemAlert error={found.error} />
          {found.data && <TokenTable rows={found.data.filter((token) => token.owner === me.name)} />}
        </div>
        <div>
          <Title order={2} size="h4" mb="sm">
            Password
          </Title>
          <NewPassword name={me.name} />
        </div>
      </Stack>
    </Page>
  );
}

function NewPassword({ name }: { name: string }) {
  const [password, setPassword] = useState("");
  const change = useMutation({
    mutationFn: () =>
      must(api.PATCH("/api/v1/users/{name}", { params: { path: { name } }, body: { password } })),
    // Sessions of the user end with it: the way in is the new password.
    onSuccess: () => window.location.assign("/"),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate();
  };
  return (
    <form onSubmit={submit}>
      <ProblemAlert error={change.error} />
      <Group align="flex-end">
        <PasswordInput
          label="New password"
          description="At least 12 characters. You log in again with it."
          autoComplete="new-password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          w={320}
          required
        />
        <Button type="submit" variant="default" loading={change.isPending} disabled={!password}>
          Change it
        </Button>
      </Group>
    </form>
  );
}
