import { Button, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { api, must } from "../api/client";
import { session } from "../api/queries";

/** Who is logged in, and the way out. On a server that asks nobody there is none. */
export function Who() {
  const known = useQuery(session);
  const logout = useMutation({
    mutationFn: () => must(api.DELETE("/api/v1/session")),
    // A new page: nothing of what this person saw stays in memory.
    onSettled: () => window.location.assign("/"),
  });
  if (!known.data?.csrf) return null;
  return (
    <>
      <Text size="sm" title={known.data.roles.join(", ")} visibleFrom="xs">
        {known.data.name}
      </Text>
      <Button variant="default" size="compact-md" onClick={() => logout.mutate()} loading={logout.isPending}>
        Log out
      </Button>
    </>
  );
}
