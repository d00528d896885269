import { Checkbox } from "@mantine/core";

interface Props {
  said: URLSearchParams;
  label: string;
  onChange: (force: boolean) => void;
}

/** What would be refused otherwise, for once. */
export function Force({ said, label, onChange }: Props) {
  return (
    <Checkbox
      label={label}
      checked={said.get("force") === "yes"}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}
