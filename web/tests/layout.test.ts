import assert from "node:assert/strict";
import test from "node:test";
import { layoutOf, within } from "../src/topology/layout.ts";

test("an address is within its network, and nothing else is", () => {
  assert.ok(within("192.0.2.11", "192.0.2.0/24"));
  assert.ok(!within("198.51.100.1", "192.0.2.0/24"));
  assert.ok(within("192.0.2.130", "192.0.2.128/25"));
  assert.ok(!within("192.0.2.1", "192.0.2.128/25"));
  for (const wrong of ["", "2001:db8::1", "300.1.1.1", "host"]) assert.ok(!within(wrong, "0.0.0.0/0"));
});

const SITE = {
  name: "s",
  definition: "s",
  nas: ["192.0.2.200"],
  wanBalance: "failover",
  hosts: Array.from({ length: 9 }, (_, n) => ({ name: `n${n}`, address: `192.0.2.${n + 1}` })),
  networks: [{ name: "machines", cidr: "192.0.2.0/24", gateway: "192.0.2.254" }],
  wanLinks: [{ interface: "eth0" }],
  clusters: ["a", "b"].map((name, at) => ({
    name,
    virtualIp: "192.0.2.100",
    endpoint: "",
    hosts: [0, 1, 2].map((n) => ({ name: `n${n + at * 3}`, role: "WORKER" })),
  })),
};

test("no two boxes lie on each other, and all of a cluster are in its frame", () => {
  const { boxes } = layoutOf(SITE);
  const solid = boxes.filter((box) => box.kind !== "frame");
  for (const [at, one] of solid.entries()) {
    for (const other of solid.slice(at + 1)) {
      const apart =
        one.x + one.width <= other.x ||
        other.x + other.width <= one.x ||
        one.y + one.height <= other.y ||
        other.y + other.height <= one.y;
      assert.ok(apart, `${one.id} and ${other.id}`);
    }
    const frame = boxes.find((box) => box.kind === "frame" && box.cluster === one.cluster);
    if (frame)
      assert.ok(
        one.x >= frame.x &&
          one.x + one.width <= frame.x + frame.width &&
          one.y + one.height <= frame.y + frame.height,
      );
  }
});

test("links lead to networks with a gateway, networks to the clusters on them", () => {
  const wires = layoutOf(SITE).wires.map((wire) => `${wire.from}>${wire.to}`);
  assert.deepEqual(wires, [
    "wan eth0>network machines",
    "network machines>frame a",
    "network machines>frame b",
  ]);
});
