// What may stand at a place of a definition, by its JSON Schema: fields to complete, values to choose from, and what they mean.

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  type?: string | string[];
  description?: string;
  default?: unknown;
  required?: string[];
}

interface Choice {
  label: string;
  info: string;
  detail: string;
}

/** A step down is the name of a field, or "-" into a list. */
export type Path = readonly string[];

const definitions = (root: Schema) => root.$defs ?? {};

function variants(root: Schema, schema: Schema | undefined, depth = 0): Schema[] {
  if (!schema || depth > 8) return [];
  if (schema.$ref) return variants(root, definitions(root)[schema.$ref.replace("#/$defs/", "")], depth + 1);
  const several = schema.anyOf ?? schema.oneOf;
  return several ? several.flatMap((one) => variants(root, one, depth + 1)) : [schema];
}

function down(root: Schema, schemas: Schema[], step: string): Schema[] {
  return schemas.flatMap((schema) => variants(root, step === "-" ? schema.items : schema.properties?.[step]));
}

/** The schemas of a place in a document of this kind. */
export function at(root: Schema, kind: string, path: Path): Schema[] {
  const first = variants(root, definitions(root)[kind] ?? definitions(root).Cluster);
  return path.reduce((schemas, step) => down(root, schemas, step), first);
}

/** Fields that may stand there and are not there yet. */
export function fields(root: Schema, kind: string, path: Path, there: ReadonlySet<string>): Choice[] {
  const found = new Map<string, Choice>();
  for (const schema of at(root, kind, path)) {
    for (const [label, field] of Object.entries(schema.properties ?? {})) {
      if (there.has(label) || found.has(label)) continue;
      const detail = schema.required?.includes(label) ? "required" : "";
      found.set(label, { label, info: field.description ?? "", detail });
    }
  }
  return [...found.values()];
}

/** Values that may stand there, where they are few. */
export function values(root: Schema, kind: string, path: Path): Choice[] {
  const labels = at(root, kind, path).flatMap((schema) => {
    if (schema.enum) return schema.enum.map(String);
    if (schema.const !== undefined) return [String(schema.const)];
    return schema.type === "boolean" ? ["true", "false"] : [];
  });
  return [...new Set(labels)].map((label) => ({ label, info: "", detail: "" }));
}
