// Where a cursor is in a YAML text, by indentation: it works while the text is half written and no parser could read it.
import type { Path } from "./schema.ts";

/** path: of the place that is written. key: what is written is a field's name; else its value. there: its neighbours. */
interface Place {
  kind: string;
  path: Path;
  key: boolean;
  word: string;
  there: ReadonlySet<string>;
}

const FIELD = /^(\s*)((?:- +)*)("?)([A-Za-z0-9_.-]+)\3\s*:(?:\s|$)/;

interface Row {
  /** Columns before the field, dashes counted in. */
  indent: number;
  dash: number;
  field: string;
}

function rowOf(line: string): Row | undefined {
  const found = FIELD.exec(line);
  if (found) {
    const spaces = found[1]?.length ?? 0;
    const dashes = found[2]?.length ?? 0;
    return { indent: spaces + dashes, dash: dashes > 0 ? spaces : -1, field: found[4] ?? "" };
  }
  const item = /^(\s*)- ?/.exec(line);
  return item ? { indent: item[0].length, dash: item[1]?.length ?? 0, field: "" } : undefined;
}

/** offset: of the cursor in the text. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset).split("\n");
  const line = before.at(-1) ?? "";
  const start = before.findLastIndex((other, row) => row < before.length - 1 && /^---(\s|$)/.test(other)) + 1;
  const rest = text.slice(offset).split("\n");
  const end = rest.findIndex((other, row) => row > 0 && /^---(\s|$)/.test(other));
  const document = [...before.slice(start), ...rest.slice(1, end < 0 ? undefined : end)];
  const kind = document.map((other) => /^kind:\s*(\w+)/.exec(other)?.[1]).find(Boolean) ?? "Cluster";
  const value = /^\s*(?:- +)*"?([A-Za-z0-9_.-]+)"?\s*:\s+(\S*)$/.exec(line);
  const item = /^\s*- +([^\s:]*)$/.exec(line);
  const indent = /^\s*(?:- +)*/.exec(line)?.[0].length ?? 0;
  const above = before.slice(start, -1);
  const path = parents(above, line, indent);
  if (value)
    return { kind, path: [...path, value[1] ?? ""], key: false, word: value[2] ?? "", there: new Set() };
  const word = item?.[1] ?? /[A-Za-z0-9_.-]*$/.exec(line)?.[0] ?? "";
  return { kind, path, key: true, word, there: neighbours(document, above.length, indent) };
}

/** The fields that a line of this indentation is within. */
function parents(above: readonly string[], line: string, indent: number): string[] {
  const path: string[] = [];
  let column = indent;
  let dash = /^(\s*)- /.exec(line)?.[1]?.length ?? -1;
  if (dash >= 0) {
    path.unshift("-");
    column = dash;
  }
  for (let row = above.length - 1; row >= 0; row -= 1) {
    const found = rowOf(above[row] ?? "");
    if (!found) continue;
    const listOf = dash >= 0 && path[0] === "-" && found.dash < 0 && found.indent === column; // a list as deep as its field
    if (found.field && (found.indent < column || listOf)) {
      path.unshift(found.field);
      column = found.indent;
      dash = -1;
    }
    if (found.dash >= 0 && found.dash < column && path[0] !== "-" && found.indent <= column) {
      path.unshift("-");
      column = found.dash;
      dash = found.dash;
    }
    if (column === 0 && dash < 0) break;
  }
  return path;
}

/** Fields of the same mapping: lines around with the same indentation, up to one that has less. */
function neighbours(document: readonly string[], row: number, indent: number): Set<string> {
  const found = new Set<string>();
  const look = (from: number, step: number) => {
    for (let at = from; at >= 0 && at < document.length; at += step) {
      const other = rowOf(document[at] ?? "");
      if (!other) continue;
      if (other.indent < indent) return;
      const begins = other.dash >= 0 && other.indent === indent; // the first field of a list's entry
      if (begins && step > 0) return;
      if (other.indent === indent && other.field) found.add(other.field);
      if (begins) return;
    }
  };
  look(row - 1, -1);
  look(row + 1, 1);
  return found;
}
