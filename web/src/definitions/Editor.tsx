// CodeMirror with what a definition needs: completion by the schema, and the faults of the check at their places.
import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
} from "@codemirror/autocomplete";
import { yaml } from "@codemirror/lang-yaml";
import { type Diagnostic, linter, lintGutter } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { useComputedColorScheme } from "@mantine/core";
import { basicSetup } from "codemirror";
import { useEffect, useRef } from "react";
import { type Fault, ProblemError } from "../api/client";
import { colours } from "./colours";
import { placeOf } from "./place";
import { fields, type Schema, values } from "./schema";
import { type Checked, checked } from "./useDefinition";

export type Verdict = { checked?: Checked; error?: ProblemError };

interface Props {
  name: string;
  text: string;
  schema: Schema;
  readOnly: boolean;
  onChange: (text: string) => void;
  onVerdict: (verdict: Verdict) => void;
}

function completed(schema: Schema, context: CompletionContext): CompletionResult | null {
  const place = placeOf(context.state.doc.toString(), context.pos);
  if (!context.explicit && place.word === "" && place.key) return null;
  const found = place.key
    ? fields(schema, place.kind, place.path, place.there)
    : values(schema, place.kind, place.path);
  const options = found.map((choice) => ({
    label: choice.label,
    detail: choice.detail,
    info: choice.info || undefined,
    apply: place.key ? `${choice.label}: ` : choice.label,
    type: place.key ? "property" : "enum",
    boost: choice.detail ? 1 : 0,
  }));
  return options.length > 0
    ? { from: context.pos - place.word.length, options, validFor: /^[\w.-]*$/ }
    : null;
}

function diagnosticOf(state: EditorState, fault: Fault): Diagnostic {
  const row = state.doc.line(Math.min(Math.max(fault.line ?? 1, 1), state.doc.lines));
  const from = Math.min(row.from + Math.max((fault.column ?? 1) - 1, 0), row.to);
  return {
    from,
    to: row.to,
    severity: "error",
    message: `${fault.field}: ${fault.text}${fault.remedy ? `; ${fault.remedy}` : ""}`,
  };
}

async function verdictOf(name: string, text: string): Promise<Verdict> {
  if (!text.trim()) return {};
  try {
    return { checked: await checked(name, text) };
  } catch (error) {
    return { error: error instanceof ProblemError ? error : new ProblemError(0, { detail: String(error) }) };
  }
}

export function Editor({ name, text, schema, readOnly, onChange, onVerdict }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const scheme = useComputedColorScheme("light");
  const draft = useRef(text);
  const told = useRef({ onChange, onVerdict });
  told.current = { onChange, onVerdict };
  // The editor keeps its text itself; one in other colours takes the draft over.
  useEffect(() => {
    if (!place.current) return;
    const check = linter(
      async (view) => {
        const verdict = await verdictOf(name, view.state.doc.toString());
        told.current.onVerdict(verdict);
        return (verdict.error?.faults ?? []).map((fault) => diagnosticOf(view.state, fault));
      },
      { delay: 500 },
    );
    const view = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: draft.current,
        extensions: [
          basicSetup,
          yaml(),
          check,
          lintGutter(),
          colours(scheme === "dark"),
          EditorState.readOnly.of(readOnly),
          autocompletion({ override: [(context) => completed(schema, context)] }),
          keymap.of(completionKeymap),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": `Text of ${name}` }),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            draft.current = update.state.doc.toString();
            told.current.onChange(draft.current);
          }),
        ],
      }),
    });
    return () => view.destroy();
  }, [name, schema, readOnly, scheme]);
  return <div ref={place} className="editor" />;
}
