import { TagsInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { clusters } from "../api/queries";
import { NAME, ROLES } from "../shell/roles";

const WRITTEN = new RegExp(`^(${ROLES.join("|")})(:${NAME})?$`);

interface Props {
  label: string;
  value: string[];
  onChange: (value: string[]) => void;
}

/** Roles as they are written: `operator` for all clusters, `operator:production` for one. */
export function RolesInput({ label, value, onChange }: Props) {
  const found = useQuery({ ...clusters, refetchInterval: false });
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
