import { TagsInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { clusters } from "../api/queries";

const ROLES = ["viewer", "operator", "admin"];
const WRITTEN = /^(viewer|operator|admin)(:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$/;

interface Props {
  label: string;
  value: string[];
  onChange: (value: string[]) => void;
}

/** Roles as they are written: `operator` for all clusters, `operator:production` for one. */
export function RolesInput({ label, value, onChange }: Props) {
  const found = useQuery(clusters);
  const named = (found.data ?? []).flatMap((cluster) => ROLES.map((role) => `${role}:${cluster.name}`));
  return (
    <TagsInput
      label={label}
      data={[...ROLES, ...named]}
      value={value}
      onChange={(next) => onChange(next.filter((text) => WRITTEN.test(text)))}
      placeholder={value.length === 0 ? "a role" : undefined}
      limit={50}
      maxDropdownHeight={260}
      style={{ flexGrow: 1 }}
      miw={220}
      maw={460}
    />
  );
}
