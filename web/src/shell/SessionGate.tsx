// Nothing is shown to somebody whom the server does not know.
import { Center, Container, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ProblemError } from "../api/client";
import { session } from "../api/queries";
import { ProblemAlert } from "../parts/ProblemAlert";
import { LoginPage } from "./LoginPage";

export function SessionGate({ children }: { children: ReactNode }) {
  const known = useQuery(session);
  if (known.data) return children;
  if (known.isPending) {
    return (
      <Center mih="60vh">
        <Loader aria-label="loading" />
      </Center>
    );
  }
  if (known.error instanceof ProblemError && known.error.status === 401) return <LoginPage />;
  return (
    <Container py="xl">
      <ProblemAlert error={known.error} />
    </Container>
  );
}
