// The plan as a picture: a lane for each host, from left to right what comes after what, each step in the colour of its state.
import { type Edge, Handle, type Node, Position } from "@xyflow/react";
import { useMemo } from "react";
import { Picture, STILL } from "../parts/Picture";
import { signOf, toneOf } from "../parts/State";
import { duration } from "../parts/time";
import { pictureOf } from "./lanes";
import type { LiveStep } from "./useSteps";

const MOST_STEPS = 600;

function StepNode({ data }: { data: { step: LiveStep } }) {
  const { step } = data;
  const tone = toneOf(step.state);
  const words = `${step.stage} on ${step.target}: ${step.title}, ${step.state}`;
  return (
    <div className={`step ${tone}`} title={words} role="img" aria-label={words}>
      <Handle type="target" position={Position.Left} />
      <b>{step.stage}</b>
      <span>
        {signOf(tone)} {step.seconds === null ? step.state : duration(step.seconds)}
      </span>
      <Handle type="source" position={Position.Right} />
    </div>
  );
}

function LaneNode({ data }: { data: { target: string } }) {
  return <div className="lane">{data.target}</div>;
}

const TYPES = { step: StepNode, lane: LaneNode };

const FIT = { padding: 0.06 };
const ZOOM = { least: 0.15, most: 1.5 };

interface Props {
  steps: LiveStep[];
  cluster: string;
}

/** The places of the steps are computed only for a plan that is drawn: that work grows with the square of its size. */
export function RunGraph({ steps, cluster }: Props) {
  if (steps.length === 0) return null;
  if (steps.length > MOST_STEPS) return <p>The plan has {steps.length} steps: see the list of steps.</p>;
  return <Drawn steps={steps} cluster={cluster} />;
}

function Drawn({ steps, cluster }: Props) {
  const shape = steps.map((step) => step.id).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: places change with the steps that there are, not with their states
  const picture = useMemo(() => pictureOf(steps, cluster), [shape, cluster]);
  const nodes = useMemo<Node[]>(() => {
    const known = new Map(steps.map((step) => [step.id, step]));
    return [
      ...picture.lanes.map((lane) => ({
        id: `lane ${lane.target}`,
        type: "lane",
        position: { x: -84, y: lane.y + 8 },
        data: { target: lane.target },
        ...STILL,
      })),
      ...picture.steps.map((place) => ({
        id: place.id,
        type: "step",
        position: { x: place.x, y: place.y },
        data: { step: known.get(place.id) },
        ...STILL,
      })),
    ];
  }, [picture, steps]);
  const edges = useMemo<Edge[]>(
    () =>
      picture.edges.map(([source, target]) => ({
        id: `${source} ${target}`,
        source,
        target,
        focusable: false,
      })),
    [picture],
  );
  const height = Math.min(460, 120 + 52 * picture.lanes.length);
  return (
    <Picture
      nodes={nodes}
      edges={edges}
      types={TYPES}
      label="Steps as a picture; the tab Steps has the same as a list"
      fit={FIT}
      zoom={ZOOM}
      height={height}
    />
  );
}
