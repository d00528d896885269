// A site as a picture: links to the internet above, then networks, then clusters with their address and hosts.
import type { SiteDocument } from "../api/documents.ts";

export interface Box {
  id: string;
  kind: "wan" | "network" | "frame" | "vip" | "host" | "nas";
  x: number;
  y: number;
  width: number;
  height: number;
  title: string;
  text: string;
  /** The cluster that it belongs to; empty: none. */
  cluster: string;
}

interface Wire {
  from: string;
  to: string;
  label: string;
}

const BOX = { width: 158, height: 62 };
const STEP = { x: 174, y: 78 };
const PAD = 16;
const IN_A_ROW = 4;

/** Puts a box into the picture; of the usual size and of no cluster, unless it says so. */
type Put = (box: Omit<Box, "width" | "height" | "cluster"> & Partial<Box>) => void;

export function layoutOf(site: SiteDocument): { boxes: Box[]; wires: Wire[] } {
  const boxes: Box[] = [];
  const wires: Wire[] = [];
  const put: Put = (box) => boxes.push({ ...BOX, cluster: "", ...box });
  const wans = site.wanLinks.map((link, column) => {
    const id = `wan ${link.interface}`;
    const text = link.weight === undefined ? "internet" : `internet, weight ${link.weight}`;
    put({ id, kind: "wan", x: column * STEP.x, y: 0, title: link.interface, text });
    return id;
  });
  const top = wans.length > 0 ? 120 : 0;
  for (const [column, net] of site.networks.entries()) {
    const id = `network ${net.name}`;
    const text = [net.cidr, net.vlan === undefined ? "" : `VLAN ${net.vlan}`].filter(Boolean).join(", ");
    put({ id, kind: "network", x: column * 230, y: top, width: 210, title: net.name, text });
    if (net.gateway) for (const wan of wans) wires.push({ from: wan, to: id, label: site.wanBalance });
  }
  const addresses = new Map(site.hosts.map((host) => [host.name, host.address ?? ""]));
  let left = 0;
  const y = top + (site.networks.length > 0 ? 120 : 0);
  const taken = new Set<string>();
  for (const cluster of site.clusters) {
    const room = frame(boxes, cluster, addresses, left, y, put);
    for (const host of cluster.hosts) taken.add(host.name);
    const inside = cluster.hosts.map((host) => addresses.get(host.name) ?? "");
    for (const net of site.networks) {
      if (net.cidr && inside.some((address) => within(address, net.cidr ?? ""))) {
        wires.push({ from: `network ${net.name}`, to: `frame ${cluster.name}`, label: "" });
      }
    }
    left += room + 40;
  }
  const free = site.hosts.filter((host) => !taken.has(host.name));
  for (const [place, host] of free.entries()) {
    put({
      id: `host ${host.name}`,
      kind: "host",
      x: left + PAD + (place % 2) * STEP.x,
      y: y + 36 + Math.floor(place / 2) * STEP.y,
      title: host.name,
      text: `${host.address ?? ""} free`,
    });
  }
  for (const [place, address] of site.nas.entries()) {
    put({
      id: `nas ${address}`,
      kind: "nas",
      x: left + PAD + place * STEP.x,
      y: y + 36 + Math.ceil(free.length / 2) * STEP.y,
      title: "network storage",
      text: address,
    });
  }
  return { boxes, wires };
}

/** The frame of a cluster with what is in it; returns its width. */
function frame(
  boxes: Box[],
  cluster: SiteDocument["clusters"][number],
  addresses: ReadonlyMap<string, string>,
  x: number,
  y: number,
  put: Put,
): number {
  const columns = Math.min(IN_A_ROW, Math.max(1, cluster.hosts.length, cluster.virtualIp ? 2 : 1));
  const head = 34 + (cluster.virtualIp ? STEP.y : 0);
  const width = columns * STEP.x - (STEP.x - BOX.width) + 2 * PAD;
  const height = head + Math.ceil(cluster.hosts.length / IN_A_ROW) * STEP.y + PAD;
  boxes.push({
    id: `frame ${cluster.name}`,
    kind: "frame",
    x,
    y,
    width,
    height,
    title: cluster.name,
    text: cluster.endpoint,
    cluster: cluster.name,
  });
  if (cluster.virtualIp) {
    put({
      id: `vip ${cluster.name}`,
      kind: "vip",
      x: x + PAD,
      y: y + 34,
      title: "virtual address",
      text: cluster.virtualIp,
      cluster: cluster.name,
    });
  }
  for (const [place, host] of cluster.hosts.entries()) {
    put({
      id: `host ${cluster.name} ${host.name}`,
      kind: "host",
      x: x + PAD + (place % IN_A_ROW) * STEP.x,
      y: y + head + Math.floor(place / IN_A_ROW) * STEP.y,
      title: host.name,
      cluster: cluster.name,
      text: `${addresses.get(host.name) ?? ""} ${host.role.toLowerCase().replace("_", " ")}`.trim(),
    });
  }
  return width;
}

/** Whether an IPv4 address is of a network. Others are of none: the picture then shows no wire, and claims nothing. */
export function within(address: string, cidr: string): boolean {
  const [base = "", length = ""] = cidr.split("/");
  const [one, other, bits] = [number(address), number(base), Number(length)];
  if (one === undefined || other === undefined || !(bits >= 0 && bits <= 32)) return false;
  const size = 2 ** (32 - bits);
  return Math.floor(one / size) === Math.floor(other / size);
}

function number(address: string): number | undefined {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
