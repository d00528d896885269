// What can be done with a cluster beside applying its definition, and what each asks for.
import type { Schemas } from "../api/client.ts";
import type { Role } from "../shell/roles.ts";

export type Wish = Schemas["PlanRequest"];

/** grave: data is lost by it, so the name of the cluster is asked for. */
export interface Kind {
  verb: NonNullable<Wish["verb"]>;
  label: string;
  about: string;
  role: Role;
  grave: boolean;
}

export const KINDS: Record<string, Kind> = {
  upgrade: {
    verb: "upgrade",
    label: "Upgrade",
    about:
      "Another release: the version in the definition, then the difference. A backup is part of the plan.",
    role: "operator",
    grave: false,
  },
  scale: {
    verb: "scale",
    label: "Scale",
    about: "Hosts come into a group of nodes, or leave it drained; the definition keeps its comments.",
    role: "operator",
    grave: false,
  },
  backup: {
    verb: "backup",
    label: "Back up now",
    about: "A snapshot with the keys of the cluster, encrypted, into every target of the definition.",
    role: "operator",
    grave: false,
  },
  renew: {
    verb: "renew",
    label: "Renew certificates",
    about:
      "All certificates now, control planes one at a time. Those that are due an apply renews by itself.",
    role: "operator",
    grave: false,
  },
  restore: {
    verb: "restore",
    label: "Restore",
    about: "The cluster goes on from a backup. What was written after it is lost.",
    role: "admin",
    grave: true,
  },
  destroy: {
    verb: "destroy",
    label: "End the cluster",
    about: "Its data is lost, its hosts are put back as they were. Its definition stays.",
    role: "admin",
    grave: true,
  },
};

/** Whether an address says to do it all the same. */
export const forced = (said: URLSearchParams) => said.get("force") === "yes";

/** The wish that an address holds; undefined when something is still to be said. The server checks what it says. */
export function wishOf(kind: Kind, said: URLSearchParams): Wish | undefined {
  const wish: Wish = { verb: kind.verb, force: forced(said) };
  if (kind.verb === "upgrade") {
    const version = said.get("version");
    return version ? { ...wish, version } : undefined;
  }
  if (kind.verb === "scale") {
    const [nodeGroup, count] = [said.get("group"), said.get("count")];
    if (!nodeGroup) return undefined;
    if (count !== null) return { ...wish, nodeGroup, targetCount: Number(count) };
    return said.has("host") || said.has("none")
      ? { ...wish, nodeGroup, hosts: said.getAll("host") }
      : undefined;
  }
  if (kind.verb === "restore") {
    const [backup, at] = [said.get("backup"), said.get("at")];
    if (at) return { ...wish, at: Number(at) };
    return backup && said.has("go") ? { ...wish, backup } : undefined;
  }
  return wish;
}
