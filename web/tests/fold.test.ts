import assert from "node:assert/strict";
import test from "node:test";
import { fold, MOST_LINES, NOTHING, type RunEvent } from "../src/runs/fold.ts";

let number = 0;
function event(kind: string, step: string, data: Record<string, unknown>, host = "n1"): RunEvent {
  number += 1;
  return { id: number, kind, step, host, at: 1000 + number, data };
}

test("a step takes the states that its events give it", () => {
  const begun = fold(NOTHING, [event("step-started", "a", { title: "prepare" })]);
  assert.equal(begun.steps.get("a")?.state, "running");
  const busy = fold(begun, [event("operation", "a", { title: "swap off", state: "started" })]);
  assert.equal(busy.steps.get("a")?.doing, "swap off");
  const ended = fold(busy, [
    event("step-finished", "a", { state: "failed", seconds: 2, error: { detail: "no disk" } }),
  ]);
  assert.deepEqual([ended.steps.get("a")?.state, ended.steps.get("a")?.seconds], ["failed", 2]);
  assert.match(ended.lines.at(-1)?.text ?? "", /no disk/);
});

test("what was seen before a broken connection is not told twice", () => {
  const events = [event("step-started", "a", { title: "x" }), event("message", "a", { text: "hello" })];
  const once = fold(NOTHING, events);
  assert.equal(fold(once, events), once);
  assert.equal(fold(NOTHING, [...events, ...events].slice(0, 3)).lines.length, 3);
});

test("the run's end is its status, and a new attempt takes it back", () => {
  const ended = fold(NOTHING, [event("run-finished", "", { status: "failed" })]);
  assert.equal(ended.status, "failed");
  assert.equal(
    fold(ended, [event("run-started", "", { verb: "apply", cluster: "c", attempt: 2 })]).status,
    "",
  );
});

test("a long log keeps its newest lines", () => {
  const many = Array.from({ length: MOST_LINES + 10 }, () => event("message", "a", { text: "x" }));
  const live = fold(NOTHING, many);
  assert.equal(live.lines.length, MOST_LINES);
  assert.equal(live.lines.at(-1)?.id, many.at(-1)?.id);
});
