// Roles as the server writes them: `admin`, or `operator:production` for one cluster.
export type Role = "viewer" | "operator" | "admin";
const RANKS: Record<string, number> = { viewer: 0, operator: 1, admin: 2 };
export const ROLES = Object.keys(RANKS);
/** How clusters, and files of definitions, may be called. */
export const NAME = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

/** Whether these roles allow what this one does; without a cluster: of all clusters. */
export function allows(roles: readonly string[], role: Role, cluster = ""): boolean {
  return roles.some((text) => {
    const [word = "", where = ""] = text.split(":");
    return (RANKS[word] ?? -1) >= (RANKS[role] ?? 99) && (where === "" || where === cluster);
  });
}
