import { type Edge, Handle, type Node, Position } from "@xyflow/react";
import { useMemo } from "react";
import type { SiteDocument } from "../api/documents";
import { Picture, STILL } from "../parts/Picture";
import { signOf, toneOf } from "../parts/State";
import { type Box, layoutOf } from "./layout";

const WORDS: Record<Box["kind"], string> = {
  wan: "link",
  network: "network",
  frame: "cluster",
  vip: "virtual address",
  host: "host",
  nas: "storage",
};

function BoxNode({ data }: { data: { box: Box; state: string } }) {
  const { box, state } = data;
  const words = `${WORDS[box.kind]} ${box.title} ${box.text} ${state}`.trim();
  if (box.kind === "frame") {
    return (
      <div className="frame" role="img" aria-label={words}>
        <Handle type="target" position={Position.Top} />
        {box.title} <span className="lane">{box.text}</span>
      </div>
    );
  }
  const tone = state ? toneOf(state) : "";
  return (
    <div
      className={`place ${tone} ${box.kind === "host" && !box.cluster ? "free" : ""}`}
      style={{ width: box.width, height: box.height }}
      title={words}
      role="img"
      aria-label={words}
    >
      <Handle type="target" position={Position.Top} />
      <b>
        {state && `${signOf(toneOf(state))} `}
        {box.title}
      </b>
      {box.text}
      <Handle type="source" position={Position.Bottom} />
    </div>
  );
}

const TYPES = { box: BoxNode };
const FIT = { padding: 0.08, maxZoom: 1.1 };
const ZOOM = { least: 0.1 };

/** states: by `cluster host`. */
export function SitePicture({ site, states }: { site: SiteDocument; states: ReadonlyMap<string, string> }) {
  const picture = useMemo(() => layoutOf(site), [site]);
  const nodes = useMemo<Node[]>(
    () =>
      picture.boxes.map((box) => ({
        id: box.id,
        type: "box",
        position: { x: box.x, y: box.y },
        width: box.width,
        height: box.height,
        data: { box, state: box.kind === "host" ? (states.get(`${box.cluster} ${box.title}`) ?? "") : "" },
        ...STILL,
        zIndex: box.kind === "frame" ? 0 : 1,
      })),
    [picture, states],
  );
  const edges = useMemo<Edge[]>(
    () =>
      picture.wires.map((wire) => ({
        id: `${wire.from} ${wire.to}`,
        source: wire.from,
        target: wire.to,
        label: wire.label || undefined,
        focusable: false,
      })),
    [picture],
  );
  return (
    <Picture
      nodes={nodes}
      edges={edges}
      types={TYPES}
      label="The site as a picture; the table below has the same hosts"
      fit={FIT}
      zoom={ZOOM}
    />
  );
}
