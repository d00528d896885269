import assert from "node:assert/strict";
import test from "node:test";
import { placeOf } from "../src/definitions/place.ts";
import { fields, type Schema, values } from "../src/definitions/schema.ts";

/** The text with `|` where the cursor is. */
function at(marked: string) {
  const offset = marked.indexOf("|");
  return placeOf(marked.replace("|", ""), offset);
}

test("a field of the document", () => {
  const place = at("kind: Site\nname: lab\nho|\n");
  assert.deepEqual([place.kind, place.path, place.key, place.word], ["Site", [], true, "ho"]);
  assert.ok(place.there.has("name"));
});

test("a field within fields", () => {
  assert.deepEqual(at("kind: Cluster\nnetwork:\n  cni:\n    na|\n").path, ["network", "cni"]);
});

test("a value knows its field", () => {
  const place = at("kind: Cluster\nnetwork:\n  cni:\n    name: CIL|");
  assert.deepEqual([place.path, place.key, place.word], [["network", "cni", "name"], false, "CIL"]);
});

test("the entries of a list, as deep as their field or deeper", () => {
  assert.deepEqual(at("kind: Site\nhosts:\n  - name: n1\n    addr|").path, ["hosts", "-"]);
  assert.deepEqual(at("kind: Site\nhosts:\n- name: n1\n  addr|").path, ["hosts", "-"]);
  assert.deepEqual(at("kind: Site\nhosts:\n  - na|").path, ["hosts", "-"]);
  assert.deepEqual(at("kind: Site\nhosts:\n  - name: n1\n    power:\n      me|").path, [
    "hosts",
    "-",
    "power",
  ]);
});

test("the kind is that of the document with the cursor", () => {
  assert.equal(at("kind: Site\nname: a\n---\nkind: Cluster\nty|").kind, "Cluster");
  assert.equal(at("kind: Site\nna|\n---\nkind: Cluster\n").kind, "Site");
});

const SCHEMA: Schema = {
  $defs: {
    Cluster: {
      properties: {
        type: { $ref: "#/$defs/Type" },
        nodeGroups: { items: { $ref: "#/$defs/Group" } },
        vip: { anyOf: [{ $ref: "#/$defs/Vip" }, { type: "null" }] },
      },
      required: ["type"],
    },
    Type: { enum: ["VANILLA", "K3S"] },
    Group: { properties: { role: { enum: ["WORKER"] }, hosts: {} } },
    Vip: { properties: { address: {}, arp: { type: "boolean" } } },
  },
};

test("what may be completed follows references, lists and alternatives", () => {
  const labels = (path: string[], there: string[] = []) =>
    fields(SCHEMA, "Cluster", path, new Set(there)).map((c) => c.label);
  assert.deepEqual(labels([], ["type"]), ["nodeGroups", "vip"]);
  assert.deepEqual(labels(["nodeGroups", "-"]), ["role", "hosts"]);
  assert.deepEqual(labels(["vip"]), ["address", "arp"]);
  assert.deepEqual(labels(["nobody"]), []);
  assert.deepEqual(
    values(SCHEMA, "Cluster", ["type"]).map((c) => c.label),
    ["VANILLA", "K3S"],
  );
  assert.deepEqual(
    values(SCHEMA, "Cluster", ["vip", "arp"]).map((c) => c.label),
    ["true", "false"],
  );
});
