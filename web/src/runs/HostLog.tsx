// What happened, by host; it stays at the end while one is at the end.
import { Group, Select, Text } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import { Scroll } from "../parts/Scroll";
import { clock } from "../parts/time";
import type { Line } from "./fold";
import type { LiveStep } from "./useSteps";

const TONES = { plain: "", good: "ok", bad: "no" };

export function HostLog({
  lines,
  steps,
  short = false,
}: {
  lines: readonly Line[];
  steps: LiveStep[];
  short?: boolean;
}) {
  const [host, setHost] = useState<string | null>(null);
  const box = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  const hosts = useMemo(() => [...new Set(steps.map((step) => step.target))].sort(), [steps]);
  const shown = useMemo(() => (host ? lines.filter((line) => line.host === host) : lines), [lines, host]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new line moves the end
  useEffect(() => {
    if (atEnd.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown]);
  const moved = () => {
    const found = box.current;
    if (found) atEnd.current = found.scrollHeight - found.scrollTop - found.clientHeight < 24;
  };
  return (
    <div>
      <Group justify="space-between" mb="xs">
        <Text fw={600}>Log</Text>
        <Select
          size="xs"
          w={180}
          data={hosts}
          value={host}
          onChange={setHost}
          placeholder="All hosts"
          aria-label="Log of which host"
          clearable
        />
      </Group>
      <Scroll
        className="log"
        ref={box}
        onScroll={moved}
        aria-label="Log"
        style={{ maxHeight: short ? 230 : 560 }}
      >
        {shown.length === 0 && <p>Nothing yet.</p>}
        {shown.map((line) => (
          <p key={line.id} className={TONES[line.tone]}>
            <time>{clock(line.at)}</time>
            {!host && line.host && <b>{line.host}</b>}
            {line.text}
          </p>
        ))}
      </Scroll>
    </div>
  );
}
