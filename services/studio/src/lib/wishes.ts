// What is wished of a job and is not so yet.
import type { PlainControl } from "../api/asked";
import type { Job } from "../api/client";

export function isLive(status: Job["status"]): boolean {
  return status === "preparing" || status === "training" || status === "evaluating";
}

export type Wish = "pause" | "stop" | "resume" | "cancel";

/** `asked`: the control that is on its way; the gateway's own word comes after it. A checkpoint changes no state. */
export function wishOf({ status, desired }: Pick<Job, "status" | "desired">, asked: PlainControl | null): Wish | null {
  if (asked !== null) return asked === "checkpoint" ? null : asked;
  return isLive(status) && desired !== "run" ? desired : null;
}
