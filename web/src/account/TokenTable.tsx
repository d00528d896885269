import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, must, type Schemas } from "../api/client";
import { Certain } from "../parts/Certain";
import { type Column, DataTable } from "../parts/DataTable";
import { ProblemAlert } from "../parts/ProblemAlert";
import { State } from "../parts/State";
import { ago, day } from "../parts/time";

type Token = Schemas["TokenLine"];

function columnsOf(revoke: (token: Token) => void, owners: boolean): Column<Token>[] {
  const over = (token: Token) => token.expires !== null && token.expires < Date.now() / 1000;
  return [
    { header: "For", value: (token) => token.name },
    ...(owners ? [{ header: "Of", value: (token: Token) => token.owner }] : []),
    { header: "Allows", value: (token) => token.roles.join(", ") },
    {
      header: "Until",
      value: (token) => token.expires ?? 0,
      show: (token) =>
        over(token) ? <State word="expired" /> : token.expires ? day(token.expires) : "without end",
    },
    {
      header: "Used",
      value: (token) => token.used ?? 0,
      show: (token) => (token.used ? ago(token.used) : "never"),
    },
    { header: "Made", value: (token) => token.created, show: (token) => day(token.created) },
    {
      header: "Actions",
      acts: true,
      value: () => "",
      show: (token) => (
        <Certain
          question={`Revoke the token ${token.name}?`}
          about="Whoever uses it is refused from now on."
          act="Revoke"
          onAgree={() => revoke(token)}
        >
          {(ask) => (
            <Button size="compact-sm" variant="default" onClick={ask} aria-label={`Revoke ${token.name}`}>
              Revoke
            </Button>
          )}
        </Certain>
      ),
    },
  ];
}

export function TokenTable({ rows, owners = false }: { rows: Token[]; owners?: boolean }) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: (token: Token) =>
      must(api.DELETE("/api/v1/tokens/{token}", { params: { path: { token: token.id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["tokens"] }),
  });
  const { mutate } = revoke;
  const columns = useMemo(() => columnsOf(mutate, owners), [mutate, owners]);
  return (
    <>
      <ProblemAlert error={revoke.error} title="It was not revoked" />
      <DataTable
        label={owners ? "Tokens of all" : "Tokens"}
        rows={rows}
        columns={columns}
        rowKey={(token) => token.id}
        empty="There is no token."
      />
    </>
  );
}
