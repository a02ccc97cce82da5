// One metric of one job, with the times of its points.
import { queryOptions } from "@tanstack/react-query";
import type { Track } from "../lib/compare";
import { hasEnded } from "../ui/StatusBadge";
import { api, body, type Job } from "./client";

const STEPS_AT_ONCE = 20_000;
const LIVE_MILLISECONDS = 4_000;

export function trackQuery(job: Job | undefined, metric: string) {
  const ended = job !== undefined && hasEnded(job.status);
  return queryOptions({
    queryKey: ["job", job?.id, "track", metric, ended],
    enabled: job !== undefined,
    staleTime: ended ? Number.POSITIVE_INFINITY : 0,
    refetchInterval: ended ? false : LIVE_MILLISECONDS,
    queryFn: ({ signal }) => wholeTrack((job as Job).id, metric, signal),
  });
}

async function wholeTrack(id: string, name: string, signal: AbortSignal): Promise<Track> {
  const track: Track = { steps: [], values: [], times: [] };
  let afterStep = -1;
  let began: number | null = null;
  while (true) {
    const params = { path: { job_id: id }, query: { name, afterStep, limit: STEPS_AT_ONCE } };
    const { points } = await body(api.GET("/api/jobs/{job_id}/metrics", { params, signal }));
    for (const { step, value, at } of points) {
      const moment = Date.parse(at) / 1000;
      began ??= moment;
      track.steps.push(step);
      track.values.push(value);
      track.times.push(Math.max(moment - began, track.times[track.times.length - 1] ?? 0));
      afterStep = step;
    }
    if (points.length < STEPS_AT_ONCE) return track;
  }
}
