// The editor in the colours of the page, each readable on its ground (WCAG AA).
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const LIGHT = { key: "#1c4fa8", text: "#14692f", number: "#7a4a00", comment: "#52595f" };
const DARK = { key: "#a3c6ff", text: "#84dfa0", number: "#ffd479", comment: "#adb3bb" };

export function colours(dark: boolean): Extension {
  const used = dark ? DARK : LIGHT;
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
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: used.key },
    { tag: [tags.string, tags.content], color: used.text },
    { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: used.number },
    { tag: tags.comment, color: used.comment, fontStyle: "italic" },
  ]);
  return [look, syntaxHighlighting(words)];
}
