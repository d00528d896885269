// Who may do what, as the server will say it again: what somebody cannot do is not offered.
import { useQuery } from "@tanstack/react-query";
import { session } from "../api/queries";
import { allows, type Role } from "./roles";

/** Until it is known who asks, nothing is offered. */
export function useMay(): (role: Role, cluster?: string) => boolean {
  const known = useQuery(session);
  return (role, cluster) => allows(known.data?.roles ?? [], role, cluster);
}
