import { Anchor, Button } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
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
      <Anchor component={Link} href="/account" fz="sm" title={known.data.roles.join(", ")}>
        {known.data.name}
      </Anchor>
      <Button variant="default" size="compact-sm" onClick={() => logout.mutate()} loading={logout.isPending}>
        Log out
      </Button>
    </>
  );
}
