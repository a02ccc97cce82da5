// What a job has told so far: its metrics and its log. A live feed adds to both.
import { type QueryClient, queryOptions } from "@tanstack/react-query";
import { type Point, type Series, withPoints } from "../lib/curves";
import { Meanwhile } from "../lib/meanwhile";
import { api, body, type Schemas } from "./client";

export type LogLine = Schemas["LogLine"];

const STEPS_AT_ONCE = 20_000;
const LINES = 1000;

// A snapshot that was read before a live event and arrives after it must not take the event back.
const livePoints = new Meanwhile<Point>();
const liveLines = new Meanwhile<LogLine>();

export function metricsQuery(id: string) {
  return queryOptions({
    queryKey: ["job", id, "metrics"],
    queryFn: ({ signal }) => livePoints.answer(id, () => allPoints(id, signal), withPoints),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

async function allPoints(id: string, signal: AbortSignal): Promise<Series> {
  let series: Series = new Map();
  let afterStep = -1;
  while (true) {
    const query = { afterStep, limit: STEPS_AT_ONCE };
    const { points } = await body(
      api.GET("/api/jobs/{job_id}/metrics", { params: { path: { job_id: id }, query }, signal }),
    );
    series = withPoints(series, points as Point[]);
    const last = points[points.length - 1]?.step;
    if (last === undefined || points.length < STEPS_AT_ONCE) return series;
    afterStep = last;
  }
}

/** Points that a live feed brings, in order. */
export function tellPoints(client: QueryClient, id: string, points: Point[]): void {
  livePoints.tell(id, points);
  client.setQueryData(metricsQuery(id).queryKey, (series) => series && withPoints(series, points));
}

/** The last thousand lines; the whole log is a download. */
export function logQuery(id: string) {
  return queryOptions({
    queryKey: ["job", id, "log"],
    queryFn: ({ signal }) => liveLines.answer(id, () => lastLines(id, signal), withLines),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

async function lastLines(id: string, signal: AbortSignal): Promise<LogLine[]> {
  const params = { path: { job_id: id }, query: { limit: LINES, format: "json" as const } };
  return (await body(api.GET("/api/jobs/{job_id}/logs", { params, signal }))).lines;
}

/** Lines that a live feed brings, in order. */
export function tellLines(client: QueryClient, id: string, lines: LogLine[]): void {
  liveLines.tell(id, lines);
  client.setQueryData(logQuery(id).queryKey, (known) => known && withLines(known, lines));
}

const MOST_LINES = 5000;

/** `lines` with those of `more` that are newer; the oldest go when there are too many to show. */
export function withLines(lines: LogLine[], more: LogLine[]): LogLine[] {
  const last = lines[lines.length - 1]?.number ?? 0;
  const fresh = more.filter((line) => line.number > last);
  return fresh.length === 0 ? lines : [...lines, ...fresh].slice(-MOST_LINES);
}
