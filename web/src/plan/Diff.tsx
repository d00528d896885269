// What a step changes: by thing and field, what is and what shall be. Signs carry it too, not only colour.
import { Stack, Text } from "@mantine/core";
import type { Change } from "../api/documents";

export function Diff({ changes }: { changes: Change[] }) {
  if (changes.length === 0)
    return <Text size="sm">It changes no field by itself: it acts on the cluster, or waits.</Text>;
  const things = Map.groupBy(changes, (change) => change.thing);
  return (
    <Stack gap="sm">
      {[...things].map(([thing, fields]) => (
        <div key={thing} className="diff">
          <Text size="sm" fw={600}>
            {thing}
          </Text>
          {fields.map((change) => (
            <Field key={change.field} change={change} />
          ))}
        </div>
      ))}
    </Stack>
  );
}

function Field({ change }: { change: Change }) {
  const long = change.before.includes("\n") || change.after.includes("\n");
  return (
    <div className="mono">
      {change.field}
      {change.ripple && ` (${change.ripple})`}
      {": "}
      {long ? (
        <pre style={{ margin: 0, whiteSpace: "pre-wrap" }}>
          {marked(change.before, "−", "before")}
          {marked(change.after, "+", "after")}
        </pre>
      ) : (
        <>
          {change.before && <span className="before">− {change.before}</span>}{" "}
          <span className="after">+ {change.after}</span>
        </>
      )}
    </div>
  );
}

function marked(text: string, sign: string, name: string) {
  if (!text) return null;
  return (
    <span className={name}>
      {text.replace(/^/gm, `${sign} `)}
      {"\n"}
    </span>
  );
}
