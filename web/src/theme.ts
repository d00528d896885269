// One accent, system fonts, and greys that are dark enough to read (WCAG AA: 4.5 to 1).
import { Anchor, Combobox, type CSSVariablesResolver, createTheme, Menu } from "@mantine/core";

export const theme = createTheme({
  primaryColor: "indigo",
  primaryShade: { light: 8, dark: 8 },
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SFMono-Regular', 'DejaVu Sans Mono', Menlo, monospace",
  headings: { fontWeight: "650" },
  respectReducedMotion: true,
  components: {
    Anchor: Anchor.extend({ defaultProps: { inherit: true } }),
    // What opens stays within the landmark or dialog that it belongs to, for those who are read the page.
    Combobox: Combobox.extend({ defaultProps: { withinPortal: false } }),
    Menu: Menu.extend({ defaultProps: { withinPortal: false, withInitialFocusPlaceholder: false } }),
  },
});

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#52595f",
    "--mantine-color-anchor": "#364fc7",
    "--mantine-color-body": "#ffffff",
  },
  dark: {
    "--mantine-color-dimmed": "#adb3bb",
    "--mantine-color-anchor": "#a5b5ff",
    "--mantine-color-body": "#15171c",
  },
});
