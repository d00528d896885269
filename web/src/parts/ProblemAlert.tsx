import { Alert, List, Text } from "@mantine/core";
import { ProblemError } from "../api/client";

/** What broke, where, and the way out: as the server says it. */
export function ProblemAlert({ error, title }: { error: unknown; title?: string }) {
  if (!error) return null;
  const problem = error instanceof ProblemError ? error : undefined;
  const text = error instanceof Error ? error.message : String(error);
  return (
    <Alert color="red" variant="outline" title={title} role="alert" radius="md">
      <Text size="sm" style={{ whiteSpace: "pre-wrap" }}>
        {problem?.host ? `${problem.host}: ` : ""}
        {text}
      </Text>
      {problem?.remedy && (
        <Text size="sm" mt={4}>
          <b>Way out:</b> {problem.remedy}
        </Text>
      )}
      {problem && problem.faults.length > 0 && (
        <List size="sm" mt={6}>
          {problem.faults.map((fault) => (
            <List.Item key={`${fault.field} ${fault.text} ${fault.line}`}>
              <b>{fault.field}</b> {fault.text}
              {fault.remedy && `; ${fault.remedy}`}
            </List.Item>
          ))}
        </List>
      )}
    </Alert>
  );
}
