// A chart of what is used, requested and there. Lines differ by dashes too, not only by colour.
import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import type { Columns } from "./series";

const HEIGHT = 210;
const LINES = [
  { label: "used", light: "#1c4fa8", dark: "#a3c6ff", dash: [], fill: true },
  { label: "requested", light: "#7a4a00", dark: "#ffd479", dash: [6, 4], fill: false },
  { label: "there", light: "#495057", dark: "#bcc3cb", dash: [2, 3], fill: false },
];

export default function Chart({ title, columns }: { title: string; columns: Columns }) {
  const scheme = useComputedColorScheme("light");
  const { ref, width } = useElementSize();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current || width === 0) return;
    const dark = scheme === "dark";
    const ink = dark ? "#c9ced6" : "#343a40";
    const grid = { stroke: dark ? "#363b44" : "#e4e7eb", width: 1 };
    const axis = { stroke: ink, grid, ticks: grid };
    const chart = new uPlot(
      {
        width,
        height: HEIGHT,
        scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.05, 0.1)] } },
        axes: [axis, { ...axis, size: 56, values: (_, splits) => splits.map(String) }],
        series: [
          {},
          ...LINES.map((line) => ({
            label: line.label,
            stroke: dark ? line.dark : line.light,
            dash: line.dash,
            width: 2,
            fill: line.fill ? (dark ? "#a3c6ff22" : "#1c4fa81a") : undefined,
            value: (_: uPlot, value: number | null) => (value === null ? "" : value.toFixed(2)),
          })),
        ],
      },
      columns as uPlot.AlignedData,
      place.current,
    );
    return () => chart.destroy();
  }, [columns, scheme, width]);
  return (
    <figure
      ref={ref}
      style={{ margin: 0 }}
      aria-label={`${title} over time; the numbers of now are in the table`}
    >
      <div ref={place} />
    </figure>
  );
}
