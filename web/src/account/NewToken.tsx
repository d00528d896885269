import { Alert, Button, Code, CopyButton, Group, NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, must } from "../api/client";
import { ProblemAlert } from "../parts/ProblemAlert";
import { day } from "../parts/time";
import { RolesInput } from "./RolesInput";

/** Makes a token, and shows it: this once, and to nobody else. */
export function NewToken({ roles }: { roles: string[] }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [wanted, setWanted] = useState(roles.slice(0, 1));
  const [days, setDays] = useState<number | string>(30);
  const make = useMutation({
    mutationFn: () => must(api.POST("/api/v1/tokens", { body: { name, roles: wanted, days: Number(days) } })),
    onSuccess: () => {
      setName("");
      return client.invalidateQueries({ queryKey: ["tokens"] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Stack mb="md">
      <form onSubmit={submit} className="card" aria-label="A new token">
        <Group align="flex-end">
          <TextInput
            label="What it is for"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            maxLength={64}
            required
            w={200}
          />
          <RolesInput label="What it allows" value={wanted} onChange={setWanted} />
          <NumberInput label="Days" min={1} max={366} value={days} onChange={setDays} w={90} required />
          <Button type="submit" loading={make.isPending} disabled={!name || wanted.length === 0 || !days}>
            Make a token
          </Button>
        </Group>
      </form>
      <ProblemAlert error={make.error} title="It was not made" />
      {make.data && (
        <Alert
          color="green"
          variant="outline"
          title="Keep this token now: it is shown this once"
          role="status"
        >
          <Group gap="sm">
            <Code className="mono" data-testid="token">
              {make.data.token}
            </Code>
            <CopyButton value={make.data.token}>
              {({ copied, copy }) => (
                <Button size="compact-sm" variant="default" onClick={copy}>
                  {copied ? "Copied" : "Copy"}
                </Button>
              )}
            </CopyButton>
            <Button size="compact-sm" variant="default" onClick={() => make.reset()}>
              I have it
            </Button>
          </Group>
          <Text size="sm" mt={6}>
            {make.data.name}: {make.data.roles.join(", ")}
            {make.data.expires ? `, until ${day(make.data.expires)}` : ""}
          </Text>
        </Alert>
      )}
    </Stack>
  );
}
