// Jobs: what is asked about them, what can be done to them.
import {
  type InfiniteData,
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { hasEnded } from "../ui/StatusBadge";
import { tellDone } from "../ui/toasts";
import { controlKey, type PlainControl } from "./asked";
import { api, body, type Job, type Schemas } from "./client";

export type Kind = Job["kind"];

export interface JobFilters {
  status?: Job["status"];
  name?: string;
  kind?: "train" | "evaluate" | "export" | "push" | "install" | "import";
}

const PAGE = 30;
const LIVE_SECONDS = 2;
const QUIET_SECONDS = 10;

export function jobPages(filters: JobFilters) {
  return infiniteQueryOptions({
    queryKey: ["jobs", filters],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) =>
      body(api.GET("/api/jobs", { params: { query: { ...filters, cursor, limit: PAGE } }, signal })),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    // Every page that is shown is asked for again: the more there are, the more seldom.
    refetchInterval: ({ state }) =>
      (state.data?.pages.length ?? 1) *
      1000 *
      (state.data?.pages.some((page) => page.items.some((job) => !hasEnded(job.status)))
        ? LIVE_SECONDS
        : QUIET_SECONDS),
  });
}

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ["job", id],
    queryFn: ({ signal }) => body(api.GET("/api/jobs/{job_id}", { params: { path: { job_id: id } }, signal })),
  });
}

export function attemptsQuery(id: string) {
  return queryOptions({
    queryKey: ["job", id, "attempts"],
    queryFn: ({ signal }) => body(api.GET("/api/jobs/{job_id}/attempts", { params: { path: { job_id: id } }, signal })),
  });
}

export function checkpointsQuery(id: string) {
  return queryOptions({
    queryKey: ["job", id, "checkpoints"],
    queryFn: ({ signal }) =>
      body(api.GET("/api/jobs/{job_id}/checkpoints", { params: { path: { job_id: id } }, signal })),
  });
}

const HAPPENINGS = "status,checkpoint,checkpoint_dropped,checkpoint_failed,resumed,sample,micro_batch_halved,priority";

/** What happened to a job beside its progress, oldest first: a long training saves more often than one page holds. */
export function happeningsQuery(id: string) {
  return queryOptions({
    queryKey: ["job", id, "happenings"],
    queryFn: async ({ signal }) => {
      const items: Schemas["EventView"][] = [];
      let after: number | undefined = 0;
      while (after !== undefined) {
        const page = await happened(id, after, signal);
        items.push(...page.items);
        after = page.nextCursor == null ? undefined : Number(page.nextCursor);
      }
      return { items };
    },
  });
}

function happened(id: string, after: number, signal: AbortSignal) {
  const params = { path: { job_id: id }, query: { type: HAPPENINGS, after, limit: 1000 } };
  return body(api.GET("/api/jobs/{job_id}/events", { params, headers: { accept: "application/json" }, signal }));
}

const LONGEST_QUEUE = 1000;

/** Who waits and why, by job: asked once for however many cards are shown. */
export const queueQuery = queryOptions({
  queryKey: ["queue"],
  queryFn: ({ signal }) => body(api.GET("/api/queue", { params: { query: { limit: LONGEST_QUEUE } }, signal })),
  select: (queue) => new Map(queue.items.map((entry) => [entry.jobId, entry])),
  refetchInterval: 1000 * LIVE_SECONDS,
});

/** Sends a control: until it is answered, `useAsked` tells of it. The job that comes back is shown at once, and what
 * there is instead of it where it was refused. */
export function useControl(job: Job) {
  const { t } = useTranslation();
  const client = useQueryClient();
  return useMutation({
    mutationKey: controlKey(job.id),
    mutationFn: (action: PlainControl) => {
      const params = { path: { job_id: job.id } };
      if (action === "resume") return body(api.POST("/api/jobs/{job_id}/resume", { params }));
      return body(api.POST(`/api/jobs/{job_id}/${action}`, { params }));
    },
    onSuccess: (changed, action) => {
      client.setQueryData(jobQuery(job.id).queryKey, changed);
      client.setQueriesData<Pages>({ queryKey: ["jobs"] }, (pages) => pages && withJob(pages, changed));
      tellDone(t(`controls.done.${action}`));
    },
    onError: () => client.invalidateQueries({ queryKey: jobQuery(job.id).queryKey, exact: true }),
    onSettled: () => void client.invalidateQueries({ queryKey: ["jobs"] }),
  });
}

type Pages = InfiniteData<Schemas["Page_JobView_"], string | undefined>;

function withJob(pages: Pages, changed: Job): Pages {
  const items = (of: Job[]) => of.map((job) => (job.id === changed.id ? changed : job));
  return { ...pages, pages: pages.pages.map((page) => ({ ...page, items: items(page.items) })) };
}
