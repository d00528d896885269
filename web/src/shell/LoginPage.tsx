import {
  Anchor,
  Button,
  Center,
  Divider,
  Paper,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, must } from "../api/client";
import { entrance } from "../api/queries";
import { ProblemAlert } from "../parts/ProblemAlert";

interface Given {
  name: string;
  password: string;
  token: string;
}

/** A session in a cookie that no script reads. `first`: the one-time token makes the first administrator before. */
async function enter({ name, password, token }: Given, first: boolean): Promise<void> {
  if (first) await must(api.POST("/api/v1/setup", { body: { token: token.trim(), name, password } }));
  await must(api.POST("/api/v1/session", { body: { name, password } }));
}

export function LoginPage() {
  const [given, setGiven] = useState<Given>({ name: "", password: "", token: "" });
  const [wanted, want] = useState<boolean>();
  const ways = useQuery(entrance);
  // Where there is a provider, people come in without a first administrator.
  const first = wanted ?? (ways.data?.setup === true && !ways.data.provider);
  const client = useQueryClient();
  const login = useMutation({
    mutationKey: ["login"],
    mutationFn: () => enter(given, first),
    onSuccess: () => client.invalidateQueries(),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate();
  };
  const field = (name: keyof Given) => ({
    value: given[name],
    onChange: (event: { currentTarget: { value: string } }) =>
      setGiven({ ...given, [name]: event.currentTarget.value }),
    required: true,
  });
  return (
    <Center component="main" mih="90vh" p="md">
      <Paper withBorder p="xl" w={380} radius="lg">
        <form onSubmit={submit}>
          <Stack>
            <div>
              <Title order={1} size="h2">
                Raijin
              </Title>
              <Text c="dimmed" size="sm">
                {first ? "This server is new: make its first administrator" : "Log in"}
              </Text>
            </div>
            <ProblemAlert error={ways.error} />
            {ways.data?.provider && !first && <Provider issuer={ways.data.provider} />}
            {first && (
              <TextInput
                label="One-time token"
                description="raijin serve printed it when it started"
                autoComplete="off"
                {...field("token")}
              />
            )}
            <TextInput label="Name" autoComplete="username" {...field("name")} />
            <PasswordInput
              label="Password"
              description={first ? "At least 12 characters" : undefined}
              autoComplete={first ? "new-password" : "current-password"}
              {...field("password")}
            />
            <ProblemAlert error={login.error} />
            <Button type="submit" loading={login.isPending}>
              {first ? "Make the first administrator" : "Log in"}
            </Button>
            {ways.data?.setup && (
              <Anchor component="button" type="button" fz="sm" onClick={() => want(!first)}>
                {first ? "I have a password already" : "I have the one-time token"}
              </Anchor>
            )}
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}

/** The way in by the OpenID Connect provider: a link, because the server sends the browser there and takes it back. */
function Provider({ issuer }: { issuer: string }) {
  return (
    <>
      <Button component="a" href="/api/v1/oidc/login" variant="default">
        Log in with {hostOf(issuer)}
      </Button>
      <Divider label="or with a password of this server" labelPosition="center" />
    </>
  );
}

function hostOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : issuer;
}
