import { useMediaQuery } from "@mantine/hooks";

/** Whether there is little room beside each other, as on a phone. Known at once, so that nothing is drawn twice. */
export function useNarrow(): boolean {
  return useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false }) ?? false;
}
