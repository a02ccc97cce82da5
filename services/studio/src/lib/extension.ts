// How a finished training can go on: in what it counted, as far as its recipe's ranges go, and under which name.
import type { Job, Recipe } from "../api/client";
import { paramsOf, type Range } from "./params";

export interface Extension {
  unit: "epochs" | "steps";
  /** How many it had; those that it was to have, where it was stopped early. */
  had: number;
  /** How many more there may be; empty where `high` is below 1. */
  range: Range;
  /** How many more, unless somebody says otherwise. */
  standard: number;
}

/** Without `recipe`, which nobody offers any more, there is no upper end. */
export function extensionOf(job: Job, recipe: Recipe | undefined): Extension {
  const { epochs, max_steps: steps } = job.config.params as { epochs?: number; max_steps?: number | null };
  const bySteps = typeof steps === "number" && steps === job.progress.totalSteps;
  const had = (bySteps ? steps : epochs) ?? 0;
  const param = paramsOf(recipe?.paramsSchema ?? {}).find(({ name }) => name === (bySteps ? "max_steps" : "epochs"));
  const whole = job.config.submitted?.advanced === true ? param?.wide : param?.basic;
  const high = whole?.high == null ? null : whole.high - had;
  const standard = bySteps ? had : Number(param?.standard ?? 1);
  return {
    unit: bySteps ? "steps" : "epochs",
    had,
    range: { low: 1, high, openLow: false, openHigh: false },
    standard: Math.min(standard, high ?? standard),
  };
}

/** Of a job. */
export const LONGEST_NAME = 200;

/** The name that the gateway gives a sequel when none was chosen: "qa (2)" after "qa", "qa (3)" after that. */
export function sequel(name: string): string {
  const [, stem = name, number = "1"] = /^(.*\S) \(([0-9]{1,6})\)$/.exec(name) ?? [];
  const mark = ` (${Number(number) + 1})`;
  return [...stem].slice(0, LONGEST_NAME - mark.length).join("") + mark;
}
