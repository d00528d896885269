import assert from "node:assert/strict";
import test from "node:test";
import { filtersOf } from "../src/audit/filters.ts";
import { freeFor } from "../src/changes/free.ts";
import { KINDS, type Kind, wishOf } from "../src/changes/kinds.ts";
import { allows } from "../src/shell/roles.ts";

function wish(what: string, said: string) {
  return wishOf(KINDS[what] as Kind, new URLSearchParams(said));
}

test("a change that still has to be said is not planned", () => {
  assert.equal(wish("upgrade", ""), undefined);
  assert.equal(wish("scale", "group=workers"), undefined);
  assert.equal(wish("restore", ""), undefined);
  assert.equal(wish("restore", "backup=lab-1"), undefined, "a link names the backup, and plans nothing yet");
});

test("what is said is what is asked for", () => {
  assert.deepEqual(wish("upgrade", "version=v1.35.4&force=yes"), {
    verb: "upgrade",
    force: true,
    version: "v1.35.4",
  });
  assert.deepEqual(wish("scale", "group=w&count=0"), {
    verb: "scale",
    force: false,
    nodeGroup: "w",
    targetCount: 0,
  });
  const hosts = wish("scale", "group=w&host=w1&host=w2");
  assert.deepEqual(hosts, { verb: "scale", force: false, nodeGroup: "w", hosts: ["w1", "w2"] });
  const none = wish("scale", "group=w&none=yes");
  assert.deepEqual(none, { verb: "scale", force: false, nodeGroup: "w", hosts: [] });
  assert.deepEqual(wish("restore", "backup=lab-1&go=yes"), {
    verb: "restore",
    force: false,
    backup: "lab-1",
  });
  assert.deepEqual(wish("restore", "at=1795829382"), { verb: "restore", force: false, at: 1795829382 });
  assert.deepEqual(wish("destroy", ""), { verb: "destroy", force: false });
});

test("roles are for all clusters or for one, and the higher one may also less", () => {
  assert.ok(allows(["admin"], "operator", "prod"));
  assert.ok(allows(["viewer", "operator:prod"], "operator", "prod"));
  assert.ok(!allows(["operator:prod"], "operator", "lab"));
  assert.ok(!allows(["operator:prod"], "operator"));
  assert.ok(!allows(["viewer"], "admin", "prod"));
  assert.ok(!allows(["king"], "viewer", "prod"));
  assert.ok(!allows([], "viewer"));
});

test("a group gets hosts of its own file and of shared ones", () => {
  const hosts = [
    { name: "a", definition: "lab" },
    { name: "b", definition: "site" },
    { name: "c", definition: "other" },
    { name: "d", definition: "broken" },
  ];
  const files = [
    { name: "lab", clusters: ["lab"], faults: [] },
    { name: "site", clusters: [], faults: [] },
    { name: "other", clusters: ["other"], faults: [] },
    { name: "broken", clusters: [], faults: [{}] },
  ];
  assert.deepEqual(freeFor("lab", hosts, files), ["a", "b"]);
});

test("days of the audit page begin and end where its reader is", () => {
  const found = filtersOf(
    new URLSearchParams("who=ada&since=2026-11-27&until=2026-11-27&incidents=yes&before=7&x=y"),
  );
  assert.deepEqual(Object.keys(found).sort(), ["incidents", "since", "until", "who"]);
  assert.equal(found.since, new Date(2026, 10, 27).getTime() / 1000);
  assert.equal(Number(found.until) - Number(found.since), 86_400);
  assert.deepEqual(filtersOf(new URLSearchParams("since=yesterday")), {});
});
