// A file of the store: read with its ETag, checked while it is written, saved only in the place of what was read.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, must, ProblemError } from "../api/client";

const YAML = { "Content-Type": "application/yaml" };
const asIs = (body: unknown) => body as string;

interface Read {
  text: string;
  etag: string;
}

export interface Checked {
  clusters: string[];
  hosts: number;
  warnings: { path: string; message: string; line?: number }[];
}

/** The text and ETag of a file; both are empty while there is no such file. */
export function useDefinition(name: string) {
  return useQuery({
    queryKey: ["definition", name],
    queryFn: async (): Promise<Read> => {
      const asked = api.GET("/api/v1/definitions/{name}", { params: { path: { name } }, parseAs: "text" });
      try {
        const text = (await must(asked)) as unknown as string;
        return { text, etag: (await asked).response.headers.get("ETag") ?? "" };
      } catch (error) {
        if (error instanceof ProblemError && error.status === 404) return { text: "", etag: "" };
        throw error;
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
}

/** Throws ProblemError with a fault for each place that is wrong. */
export async function checked(name: string, text: string): Promise<Checked> {
  return (await must(
    api.POST("/api/v1/definitions/check", {
      params: { query: { name } },
      body: text,
      bodySerializer: asIs,
      headers: YAML,
    }),
  )) as unknown as Checked;
}

export function useSave(name: string, etag: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (text: string) =>
      must(
        api.PUT("/api/v1/definitions/{name}", {
          params: { path: { name }, header: etag ? { "If-Match": etag } : { "If-None-Match": "*" } },
          body: text,
          bodySerializer: asIs,
          headers: YAML,
        }),
      ),
    onSuccess: (stored, text) => {
      client.setQueryData<Read>(["definition", name], { text, etag: `"${stored.etag}"` });
      return client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "definition" });
    },
  });
}
