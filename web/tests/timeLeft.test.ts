import assert from "node:assert/strict";
import test from "node:test";
import type { StepState } from "../src/runs/fold.ts";
import { type Timed, timeLeft } from "../src/runs/timeLeft.ts";

function step(
  id: string,
  estimate: number,
  needs: string[] = [],
  state: StepState = "waiting",
  more: Partial<Timed> = {},
): Timed {
  return { id, estimate, needs, state, started: null, seconds: null, ...more };
}

test("it is the longest way, not the sum", () => {
  assert.equal(timeLeft([step("a", 10), step("b", 20), step("c", 5, ["a", "b"])], 0), 25);
});

test("what runs has its time behind it, and never less than nothing before it", () => {
  assert.equal(timeLeft([step("a", 10, [], "running", { started: 100 })], 104), 6);
  assert.equal(timeLeft([step("a", 10, [], "running", { started: 100 })], 190), 0);
});

test("hosts that are slower than estimated stretch what is left", () => {
  const done = ["a", "b", "c", "d"].map((id) => step(id, 10, [], "done", { seconds: 20 }));
  assert.equal(timeLeft([...done, step("e", 10, ["a"])], 0), 20);
});

test("a damaged plan with a circle does not hang", () => {
  assert.ok(timeLeft([step("a", 1, ["b"]), step("b", 1, ["a"])], 0) >= 1);
});

test("nothing is left of nothing", () => assert.equal(timeLeft([], 0), 0));
