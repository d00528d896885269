import { Button, Menu } from "@mantine/core";
import { Link } from "wouter";
import { useMay } from "../shell/may";
import { KINDS } from "./kinds";

/** What can be done with a cluster: of that, what whoever looks may do. */
export function ChangeMenu({ name }: { name: string }) {
  const may = useMay();
  const open = Object.entries(KINDS).filter(([, kind]) => may(kind.role, name));
  if (open.length === 0) return null;
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <Button variant="default" rightSection={<span aria-hidden="true">▾</span>}>
          Change
        </Button>
      </Menu.Target>
      <Menu.Dropdown aria-label={`Changes of ${name}`}>
        {open.map(([what, kind], index) => (
          <Menu.Item
            key={what}
            component={Link}
            href={`/clusters/${name}/change/${what}`}
            className={kind.grave ? (open[index - 1]?.[1].grave ? "grave" : "grave apart") : undefined}
          >
            {kind.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
