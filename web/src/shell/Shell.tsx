// What stands around every page: where one can go, who one is, and whether any of this is real.
import { AppShell, Burger, Group, NavLink, ScrollArea, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { Link, useLocation } from "wouter";
import { session, system } from "../api/queries";
import { ColourScheme } from "./ColourScheme";
import { useMay } from "./may";
import { Who } from "./Who";

interface Place {
  to: string;
  label: string;
  /** Who finds it; everybody, when it is left out. */
  only?: "admin";
}

const PLACES: Place[] = [
  { to: "/clusters", label: "Clusters" },
  { to: "/runs", label: "Runs" },
  { to: "/topology", label: "Topology" },
  { to: "/hosts", label: "Hosts" },
  { to: "/definitions", label: "Definitions" },
  { to: "/audit", label: "Audit", only: "admin" },
  { to: "/users", label: "Users", only: "admin" },
];

export function Shell({ children }: { children: ReactNode }) {
  const [open, menu] = useDisclosure(false);
  const [place] = useLocation();
  const about = useQuery(system);
  const known = useQuery(session);
  const rehearsal = about.data?.rehearsal === true;
  const may = useMay();
  const asked = Boolean(known.data?.csrf);
  // A server that asks nobody has no users.
  const there = (item: Place) => (item.only ? may(item.only) : true) && (item.to !== "/users" || asked);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new place closes the menu of a phone
  useEffect(() => menu.close(), [place]);
  return (
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <AppShell
        header={{ height: rehearsal ? 88 : 56 }}
        navbar={{ width: 210, breakpoint: "sm", collapsed: { mobile: !open } }}
        padding={{ base: "sm", sm: "lg" }}
      >
        <AppShell.Header>
          {rehearsal && (
            <div className="banner" role="note">
              Rehearsal: simulated hosts, nothing real is touched
            </div>
          )}
          <Group h={55} px="md" justify="space-between" wrap="nowrap">
            <Group gap="sm" wrap="nowrap">
              <Burger opened={open} onClick={menu.toggle} hiddenFrom="sm" size="sm" aria-label="Menu" />
              <img src="/icon.svg" alt="" width={28} height={28} />
              <Text fw={700} size="lg">
                Raijin
              </Text>
            </Group>
            <Group gap="xs" wrap="nowrap">
              <ColourScheme />
              <Who />
            </Group>
          </Group>
        </AppShell.Header>
        <AppShell.Navbar p="sm" component="nav" aria-label="Places">
          <ScrollArea>
            {PLACES.filter(there).map((item) => (
              <NavLink
                key={item.to}
                component={Link}
                href={item.to}
                label={item.label}
                active={place.startsWith(item.to)}
                aria-current={place.startsWith(item.to) ? "page" : undefined}
                variant="filled"
                style={{ borderRadius: 8 }}
              />
            ))}
          </ScrollArea>
          <Text c="dimmed" size="xs" mt="auto" pt="md" px="xs">
            {about.data ? `Raijin ${about.data.version}` : ""}
          </Text>
        </AppShell.Navbar>
        <AppShell.Main id="content" tabIndex={-1}>
          {children}
        </AppShell.Main>
      </AppShell>
    </>
  );
}
