import { Button, Menu, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, must, rememberCsrf } from "../api/client";
import { session } from "../api/queries";

/** Who is logged in, and the way out. On a server that asks nobody there is none. */
export function Who() {
  const client = useQueryClient();
  const known = useQuery(session);
  const logout = useMutation({
    mutationFn: () => must(api.DELETE("/api/v1/session")),
    onSuccess: () => {
      rememberCsrf("");
      client.clear();
      return client.invalidateQueries();
    },
  });
  if (!known.data?.csrf) return null;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" size="compact-md">
          {known.data.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="xs">{known.data.roles.join(", ")}</Text>
        </Menu.Label>
        <Menu.Item onClick={() => logout.mutate()}>Log out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
