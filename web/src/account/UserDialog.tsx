import { Button, Group, PasswordInput, Stack, TextInput, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, must, type Schemas } from "../api/client";
import { Dialog } from "../parts/Dialog";
import { ProblemAlert } from "../parts/ProblemAlert";
import { RolesInput } from "./RolesInput";

interface Props {
  /** Who is changed; a new user when it is left out. */
  user?: Schemas["UserLine"];
  onClose: () => void;
  onDone: () => void;
}

export function UserDialog({ user, onClose, onDone }: Props) {
  const [name, setName] = useState(user?.name ?? "");
  const [roles, setRoles] = useState(user?.roles ?? []);
  const [password, setPassword] = useState("");
  const local = !user || user.origin === "local";
  const keep = useMutation({
    mutationFn: async () => {
      if (!user) await must(api.POST("/api/v1/users", { body: { name, password, roles } }));
      else {
        const body = { roles: local ? roles : undefined, password: password || undefined };
        await must(api.PATCH("/api/v1/users/{name}", { params: { path: { name } }, body }));
      }
    },
    onSuccess: () => {
      onDone();
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    keep.mutate();
  };
  const title = user ? `Change ${user.name}` : "A new user";
  return (
    <Dialog label={title} onClose={onClose}>
      <form onSubmit={submit}>
        <Stack>
          <Title order={2} size="h4">
            {title}
          </Title>
          {!user && (
            <TextInput
              label="Name"
              data-autofocus
              autoComplete="off"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              required
            />
          )}
          {local ? (
            <>
              <RolesInput label="Roles" value={roles} onChange={setRoles} />
              <PasswordInput
                label={user ? "Another password" : "Password"}
                description={user ? "Left empty, it stays" : "At least 12 characters"}
                autoComplete="new-password"
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                required={!user}
              />
            </>
          ) : (
            <p>The provider says who this is, and its groups what they may.</p>
          )}
          <ProblemAlert error={keep.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Not now
            </Button>
            {local && (
              <Button type="submit" loading={keep.isPending}>
                {user ? "Keep" : "Add"}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
