import type { ComponentProps } from "react";

/** What scrolls must be reachable by keyboard (axe: scrollable-region-focusable), and needs a name for that. */
const REACHABLE = { tabIndex: 0 };

export function Scroll(props: ComponentProps<"section"> & { "aria-label": string }) {
  return <section {...REACHABLE} {...props} />;
}
