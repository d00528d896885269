import { Anchor, Button, Center, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, must } from "../api/client";
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
  const [first, setFirst] = useState(false);
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
                {first ? "The first administrator" : "Log in"}
              </Text>
            </div>
            {first && (
              <TextInput
                label="One-time token"
                description="`raijin serve` printed it"
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
            <Anchor component="button" type="button" size="sm" onClick={() => setFirst(!first)}>
              {first ? "I have a password already" : "This server is new: I have its one-time token"}
            </Anchor>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
