// What the pages ask for, each with how long an answer is good for.
import { queryOptions } from "@tanstack/react-query";
import { api, must, rememberCsrf } from "./client";
import type { AuditEntry, BackupList, CertificateList, HostRow, SiteDocument, System } from "./documents";

const SECONDS = 1000;

export const session = queryOptions({
  queryKey: ["session"],
  queryFn: async () => {
    const found = await must(api.GET("/api/v1/session"));
    rememberCsrf(found.csrf);
    return found;
  },
  staleTime: 5 * 60 * SECONDS,
  retry: false,
});

export const system = queryOptions({
  queryKey: ["system"],
  queryFn: async () => (await must(api.GET("/api/v1/system"))) as unknown as System,
  staleTime: 60 * SECONDS,
});

export const clusters = queryOptions({
  queryKey: ["clusters"],
  queryFn: async () =>
    (await must(api.GET("/api/v1/clusters", { params: { query: { limit: 1000 } } }))).clusters,
  refetchInterval: 10 * SECONDS,
});

export const cluster = (name: string) =>
  queryOptions({
    queryKey: ["cluster", name],
    queryFn: () => must(api.GET("/api/v1/clusters/{name}", { params: { path: { name } } })),
    refetchInterval: 10 * SECONDS,
  });

/** Asks the hosts: not more often than every half minute, and not again while it fails. */
export const status = (name: string) =>
  queryOptions({
    queryKey: ["status", name],
    queryFn: () => must(api.GET("/api/v1/clusters/{name}/status", { params: { path: { name } } })),
    staleTime: 30 * SECONDS,
    refetchInterval: 60 * SECONDS,
    retry: false,
  });

export const runs = (cluster?: string) =>
  queryOptions({
    queryKey: ["runs", cluster ?? ""],
    queryFn: async () =>
      (await must(api.GET("/api/v1/runs", { params: { query: { cluster, limit: 200 } } }))).runs,
    refetchInterval: 5 * SECONDS,
  });

export const run = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: () => must(api.GET("/api/v1/runs/{run}", { params: { path: { run: id } } })),
  });

export const sites = queryOptions({
  queryKey: ["sites"],
  queryFn: async () => ((await must(api.GET("/api/v1/sites"))) as unknown as { sites: SiteDocument[] }).sites,
});

export const backups = (name: string) =>
  queryOptions({
    queryKey: ["backups", name],
    queryFn: async () =>
      (await must(
        api.GET("/api/v1/clusters/{name}/backups", { params: { path: { name } } }),
      )) as unknown as BackupList,
    retry: false,
  });

export const certificates = (name: string) =>
  queryOptions({
    queryKey: ["certificates", name],
    queryFn: async () =>
      (await must(
        api.GET("/api/v1/clusters/{name}/certificates", { params: { path: { name } } }),
      )) as unknown as CertificateList,
    retry: false,
  });

export const utilisation = (name: string, hours: number) =>
  queryOptions({
    queryKey: ["utilisation", name, hours],
    queryFn: () =>
      must(api.GET("/api/v1/clusters/{name}/utilisation", { params: { path: { name }, query: { hours } } })),
    refetchInterval: 60 * SECONDS,
    retry: false,
  });

export const capacity = (name: string) =>
  queryOptions({
    queryKey: ["capacity", name],
    queryFn: () => must(api.GET("/api/v1/clusters/{name}/capacity", { params: { path: { name } } })),
    retry: false,
  });

export const audit = (asked: Record<string, string | number | boolean>) =>
  queryOptions({
    queryKey: ["audit", asked],
    queryFn: async () =>
      (await must(api.GET("/api/v1/audit", { params: { query: { limit: 100, ...asked } } }))) as unknown as {
        entries: AuditEntry[];
        next: number;
      },
  });

/** How one gets in; asked before anybody is known. */
export const entrance = queryOptions({
  queryKey: ["entrance"],
  queryFn: () => must(api.GET("/api/v1/entrance")),
  retry: false,
});

export const users = queryOptions({
  queryKey: ["users"],
  queryFn: async () => (await must(api.GET("/api/v1/users"))).users ?? [],
  retry: false,
});

/** Those of whoever asks; of all, for an administrator. */
export const tokens = queryOptions({
  queryKey: ["tokens"],
  queryFn: async () => (await must(api.GET("/api/v1/tokens"))).tokens ?? [],
  retry: false,
});

const hostsOf = (free: boolean) =>
  queryOptions({
    queryKey: ["hosts", free],
    queryFn: async () =>
      (await must(api.GET("/api/v1/hosts", { params: { query: { limit: 5000, free } } }))) as unknown as {
        hosts: HostRow[];
        next: string;
      },
  });
export const hosts = hostsOf(false);
export const freeHosts = queryOptions({ ...hostsOf(true), select: (found) => found.hosts });

export const versions = (name: string) =>
  queryOptions({
    queryKey: ["versions", name],
    queryFn: () => must(api.GET("/api/v1/clusters/{name}/versions", { params: { path: { name } } })),
    retry: false,
  });

export const definitions = queryOptions({
  queryKey: ["definitions"],
  queryFn: async () => (await must(api.GET("/api/v1/definitions"))).definitions ?? [],
});
