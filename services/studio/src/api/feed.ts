// A job, live: its events by SSE, which go on where they broke off; asking now and then while no stream can be had.
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Point } from "../lib/curves";
import { hasEnded } from "../ui/StatusBadge";
import { api, body, identified, type Job } from "./client";
import { type LogLine, logQuery, metricsQuery, tellLines, tellPoints } from "./history";
import { jobQuery } from "./jobs";
import { ApiProblem } from "./problem";
import { eventsOf, type ServerEvent } from "./sse";

export type FeedState = "connecting" | "live" | "reconnecting" | "polling" | "ended";

const FLUSH_MS = 150;
const LEAST_PAUSE_MS = 500;
const MOST_PAUSE_MS = 8_000;
const POLL_MS = 2_000;
/** The gateway sends something every 15 seconds. */
const SILENCE_MS = 40_000;
/** Events after which what is listed below a job is to be asked for anew. */
const TELLING = new Set(["status", "checkpoint", "checkpoint_dropped", "checkpoint_failed", "resumed", "sample"]);

/** Keeps the queries of job `id` fresh for as long as the page is there. */
export function useJobFeed(id: string): FeedState {
  const client = useQueryClient();
  const [state, setState] = useState<FeedState>("connecting");
  useEffect(() => {
    const ending = new AbortController();
    setState("connecting");
    void new Feed(client, id, setState, ending.signal).run();
    return () => ending.abort();
  }, [client, id]);
  return state;
}

class Feed {
  #last: string | null = null;
  #points: Point[] = [];
  #lines: LogLine[] = [];
  #progress: Partial<Job["progress"]> = {};
  #flushing: ReturnType<typeof setTimeout> | null = null;
  #tell: (state: FeedState) => void;

  constructor(
    private client: QueryClient,
    private id: string,
    tell: (state: FeedState) => void,
    private signal: AbortSignal,
  ) {
    this.#tell = (state) => {
      if (!signal.aborted) tell(state);
    };
  }

  async run(): Promise<void> {
    let pause = LEAST_PAUSE_MS;
    const connected = () => {
      pause = LEAST_PAUSE_MS;
    };
    while (!this.signal.aborted) {
      try {
        await this.#follow(connected);
        if (await this.#isOver()) return this.#tell("ended");
      } catch (error) {
        if (!(await this.#canGoOn(error))) return;
      }
      await waited(pause, this.signal);
      pause = Math.min(pause * 2, MOST_PAUSE_MS);
    }
  }

  /** What a failure means for the feed: another try, asking now and then for a while, or the end. */
  async #canGoOn(error: unknown): Promise<boolean> {
    if (this.signal.aborted) return false;
    const problem = error instanceof ApiProblem ? error : null;
    if (problem !== null && problem.status > 0 && problem.status < 500 && !problem.passing) {
      this.#tell("ended");
      return false;
    }
    const full = problem !== null && (problem.status === 429 || problem.status === 503);
    this.#tell(full ? "polling" : "reconnecting");
    if (full) await this.#poll();
    return true;
  }

  async #follow(connected: () => void): Promise<void> {
    const lines = await this.client.ensureQueryData(logQuery(this.id));
    const line = Math.max(lines[lines.length - 1]?.number ?? 0, this.#lines[this.#lines.length - 1]?.number ?? 0);
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (this.#last !== null) headers["last-event-id"] = this.#last;
    const address = `/api/jobs/${this.id}/events?last=0&afterLog=${line}`;
    const answer = await identified(new Request(address, { headers, signal: this.signal }));
    if (!answer.ok || answer.body === null) throw new ApiProblem(answer.status, null, `HTTP ${answer.status}`);
    connected();
    this.#tell("live");
    // What happened before the stream began is in the snapshots that are asked for from here on.
    if (this.#last === null) void this.client.invalidateQueries({ queryKey: ["job", this.id] });
    for await (const event of eventsOf(answer.body, SILENCE_MS)) this.#take(event);
    this.#flush();
  }

  #take({ id, event, data }: ServerEvent): void {
    if (id !== null) this.#last = id;
    const told = JSON.parse(data);
    if (event === "log") this.#lines.push(told as LogLine);
    if (event === "progress") {
      this.#points.push(...(told.metrics as Point[]));
      Object.assign(this.#progress, told.progress);
    }
    if (event === "status") void this.client.invalidateQueries({ queryKey: jobQuery(this.id).queryKey, exact: true });
    if (event === "resumed") void this.client.invalidateQueries({ queryKey: metricsQuery(this.id).queryKey });
    if (TELLING.has(event)) {
      for (const part of ["attempts", "checkpoints", "happenings"]) {
        void this.client.invalidateQueries({ queryKey: ["job", this.id, part] });
      }
    }
    this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS);
  }

  /** Many events are one change of the page. */
  #flush(): void {
    if (this.#flushing !== null) clearTimeout(this.#flushing);
    this.#flushing = null;
    const [points, lines, progress] = [this.#points, this.#lines, this.#progress];
    [this.#points, this.#lines, this.#progress] = [[], [], {}];
    if (points.length > 0) tellPoints(this.client, this.id, points);
    if (lines.length > 0) tellLines(this.client, this.id, lines);
    if (Object.keys(progress).length > 0) {
      this.client.setQueryData(
        jobQuery(this.id).queryKey,
        (job) => job && { ...job, progress: { ...job.progress, ...progress } },
      );
    }
  }

  async #isOver(): Promise<boolean> {
    const params = { path: { job_id: this.id } };
    const job = await body(api.GET("/api/jobs/{job_id}", { params, signal: this.signal }));
    this.client.setQueryData(jobQuery(this.id).queryKey, job);
    if (!hasEnded(job.status)) return false;
    await this.client.invalidateQueries({ queryKey: ["job", this.id] });
    return true;
  }

  async #poll(): Promise<void> {
    await this.client.invalidateQueries({ queryKey: ["job", this.id] });
    await waited(POLL_MS, this.signal);
  }
}

function waited(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
