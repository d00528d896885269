// Which hosts a group may get: those of the cluster's own file, or of the shared ones, that no cluster holds.
export interface Group {
  name: string;
  role: string;
  hosts?: string[];
  count?: number;
}

interface Host {
  name: string;
  definition: string;
}

interface File {
  name: string;
  clusters: string[];
  faults: unknown[];
}

export function freeFor(definition: string, hosts: readonly Host[], files: readonly File[]): string[] {
  const shared = new Set(
    files.filter((file) => file.clusters.length === 0 && file.faults.length === 0).map((file) => file.name),
  );
  return hosts
    .filter((host) => host.definition === definition || shared.has(host.definition))
    .map((host) => host.name);
}
