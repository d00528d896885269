import "@mantine/core/styles.css";
import "./style.css";
import { MantineProvider } from "@mantine/core";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ProblemError } from "./api/client";
import { App } from "./app";
import { theme, variables } from "./theme";

/** A session that has ended is noticed by whatever is asked next: the login page comes. */
function ended(error: unknown): void {
  if (error instanceof ProblemError && error.status === 401) client.resetQueries({ queryKey: ["session"] });
}

const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: (error, query) => query.queryKey[0] !== "session" && ended(error) }),
  mutationCache: new MutationCache({
    onError: (error, _, __, mutation) => mutation.options.mutationKey?.[0] !== "login" && ended(error),
  }),
  defaultOptions: {
    queries: {
      // What the server has decided stays so; only a server that does not answer is asked again.
      retry: (count, error) => count < 2 && !(error instanceof ProblemError && error.status > 0),
      refetchOnWindowFocus: true,
    },
  },
});

const root = document.getElementById("root");
if (!root) throw new Error("the page has no place for the dashboard");
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
