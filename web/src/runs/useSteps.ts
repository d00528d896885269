// The steps of a run as they are now: the document says what there is, the events how it goes.
import { useMemo } from "react";
import type { Schemas } from "../api/client";
import type { Live, StepState } from "./fold";

export interface LiveStep {
  id: string;
  stage: string;
  title: string;
  target: string;
  needs: readonly string[];
  state: StepState;
  started: number | null;
  seconds: number | null;
  estimate: number;
  doing: string;
  error: string;
}

export function useSteps(run: Schemas["RunDetails"] | undefined, live: Live): LiveStep[] {
  return useMemo(() => {
    return (run?.steps ?? []).map((step) => {
      const seen = live.steps.get(step.step);
      return {
        id: step.step,
        stage: step.stage,
        title: step.title,
        target: step.target,
        needs: step.needs,
        state: seen?.state ?? (step.state as StepState),
        started: seen?.started ?? step.started,
        seconds: seen?.seconds ?? step.seconds,
        estimate: step.estimate,
        doing: seen?.doing ?? "",
        error: step.error ? String(step.error.detail ?? "") : "",
      };
    });
  }, [run, live.steps]);
}
