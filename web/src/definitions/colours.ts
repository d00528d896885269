// The editor in the colours of the page, each readable on its ground (WCAG AA).
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export function colours(dark: boolean): Extension {
  const look = EditorView.theme(
    {
      "&": {
        backgroundColor: "var(--mantine-color-body)",
        color: "var(--mantine-color-text)",
        fontSize: "13.5px",
      },
      ".cm-gutters": {
        backgroundColor: "var(--raised)",
        color: "var(--mantine-color-dimmed)",
        border: "none",
      },
      ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--raised)" },
      ".cm-tooltip": {
        backgroundColor: "var(--mantine-color-body)",
        color: "var(--mantine-color-text)",
        border: "1px solid var(--line)",
      },
      ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "#364fc7", color: "#ffffff" },
    },
    { dark },
  );
  const words = HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--busy)" },
    { tag: [tags.string, tags.content], color: "var(--good)" },
    { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--warn)" },
    { tag: tags.comment, color: "var(--mantine-color-dimmed)", fontStyle: "italic" },
  ]);
  return [look, syntaxHighlighting(words)];
}
