// Another hub's models: what may be installed from it.
import { queryOptions } from "@tanstack/react-query";
import { api, body, type Schemas } from "./client";
import { ApiProblem } from "./problem";

export type HubSummary = Schemas["HubSummary"];
export type HubModel = Schemas["HubModelView"];

const MINUTE = 60_000;

export function hubSearchQuery(q: string) {
  return queryOptions({
    queryKey: ["hub", "search", q],
    queryFn: ({ signal }) => body(api.GET("/api/hub/search", { params: { query: { q } }, signal })),
    staleTime: MINUTE,
    retry: false, // the registry has tried twice
  });
}

export function hubModelQuery(repo: string) {
  return queryOptions({
    queryKey: ["hub", "model", repo],
    queryFn: ({ signal }) => body(api.GET("/api/hub/models/{repo}", { params: { path: { repo } }, signal })),
    staleTime: MINUTE,
    retry: false,
  });
}

/** Whether it is the hub beyond this platform that does not answer. */
export function isHubAway(error: unknown): error is ApiProblem {
  return error instanceof ApiProblem && error.status === 503;
}
