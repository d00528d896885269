// Roles as the server writes them: `admin`, or `operator:production` for one cluster.
export type Role = "viewer" | "operator" | "admin";
const RANKS: Record<string, number> = { viewer: 0, operator: 1, admin: 2 };

/** Whether these roles allow what this one does; without a cluster: of all clusters. */
export function allows(roles: readonly string[], role: Role, cluster = ""): boolean {
  return roles.some((text) => {
    const [word = "", where = ""] = text.split(":");
    return (RANKS[word] ?? -1) >= (RANKS[role] ?? 99) && (where === "" || where === cluster);
  });
}
