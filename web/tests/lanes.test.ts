import assert from "node:assert/strict";
import test from "node:test";
import { pictureOf } from "../src/runs/lanes.ts";

const STEPS = [
  { id: "a", target: "n2", needs: [] },
  { id: "b", target: "n10", needs: [] },
  { id: "c", target: "lab", needs: ["a", "b"] },
  { id: "d", target: "n2", needs: ["a", "c"] },
  { id: "e", target: "n2", needs: ["a"] },
];

test("the cluster is the first lane, hosts follow as people count", () => {
  assert.deepEqual(
    pictureOf(STEPS, "lab").lanes.map((lane) => lane.target),
    ["lab", "n2", "n10"],
  );
});

test("no two steps stand in one place, and what comes later stands further right", () => {
  const picture = pictureOf(STEPS, "lab");
  const places = picture.steps.map((step) => `${step.x} ${step.y}`);
  assert.equal(new Set(places).size, STEPS.length);
  const x = new Map(picture.steps.map((step) => [step.id, step.x]));
  for (const step of STEPS)
    for (const need of step.needs) assert.ok((x.get(need) ?? 0) < (x.get(step.id) ?? 0));
});

test("a need that another one implies is not drawn", () => {
  const edges = pictureOf(STEPS, "lab").edges.map((edge) => edge.join(">"));
  assert.ok(edges.includes("c>d"));
  assert.ok(!edges.includes("a>d"));
});
