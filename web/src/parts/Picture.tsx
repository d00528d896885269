// A picture of nodes and edges that one looks at, and moves and scales as a whole; nothing in it can be taken hold of.
import "@xyflow/react/dist/style.css";
import { useComputedColorScheme } from "@mantine/core";
import {
  Background,
  Controls,
  type Edge,
  type FitViewOptions,
  type Node,
  type NodeTypes,
  ReactFlow,
} from "@xyflow/react";

/** What every node of a picture is: it stands where it was put. */
export const STILL = { draggable: false, selectable: false, connectable: false, focusable: false };

/** label: what it shows, and where the same stands in words. height: pixels; default: that of the style sheet. */
export function Picture({
  nodes,
  edges,
  types,
  label,
  fit,
  zoom,
  height,
}: {
  nodes: Node[];
  edges: Edge[];
  types: NodeTypes;
  label: string;
  fit: FitViewOptions;
  zoom: { least: number; most?: number };
  height?: number;
}) {
  const scheme = useComputedColorScheme("light");
  return (
    <section className="graph" style={{ height }} aria-label={label}>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={types}
        colorMode={scheme}
        fitView
        fitViewOptions={fit}
        minZoom={zoom.least}
        maxZoom={zoom.most}
        nodesFocusable={false}
        edgesFocusable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        deleteKeyCode={null}
      >
        <Background gap={22} />
        <Controls showInteractive={false} />
      </ReactFlow>
    </section>
  );
}
