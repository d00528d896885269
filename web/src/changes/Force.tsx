import { Checkbox } from "@mantine/core";

interface Props {
  label: string;
  force: boolean;
  onChange: (force: boolean) => void;
}

/** What would be refused otherwise, for once. */
export function Force({ label, force, onChange }: Props) {
  return (
    <Checkbox label={label} checked={force} onChange={(event) => onChange(event.currentTarget.checked)} />
  );
}
