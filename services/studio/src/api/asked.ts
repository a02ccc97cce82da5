// What has been asked of a job a moment ago, before the gateway has answered.
import { useMutationState } from "@tanstack/react-query";

export type PlainControl = "pause" | "resume" | "stop" | "cancel" | "checkpoint";

/** By this key the controls that are on their way to job `id` are known. */
export function controlKey(id: string) {
  return ["control", id];
}

/** The control that is on its way; null when none is: it has been answered, well or not. */
export function useAsked(id: string): PlainControl | null {
  const asked = useMutationState({
    filters: { mutationKey: controlKey(id), status: "pending", exact: true },
    select: ({ state }) => state.variables as PlainControl,
  });
  return asked[asked.length - 1] ?? null;
}
