import assert from "node:assert/strict";
import test from "node:test";
import { seriesOf } from "../src/capacity/series.ts";

const point = (at: number) => ({
  at,
  cpu_used: 1,
  cpu_size: 4,
  cpu_requested: 2,
  memory_used: 2e9,
  memory_size: 8e9,
  memory_requested: 1e9,
});

test("one line each for used, requested and there, in cores and in gigabytes", () => {
  assert.deepEqual(seriesOf([point(0), point(60)], "cpu"), [
    [0, 60],
    [1, 1],
    [2, 2],
    [4, 4],
  ]);
  assert.deepEqual(seriesOf([point(0)], "memory"), [[0], [2], [1], [8]]);
});

test("where nothing was measured no line is drawn", () => {
  const [times, used] = seriesOf([point(0), point(60), point(120), point(3600)], "cpu");
  assert.deepEqual(times, [0, 60, 120, 180, 3600]);
  assert.deepEqual(used, [1, 1, 1, null, 1]);
});

test("nothing is nothing", () => assert.deepEqual(seriesOf([], "cpu"), [[], [], [], []]));
