// Datasets: what is asked about them, what can be done to them.
import { infiniteQueryOptions, keepPreviousData, type QueryClient, queryOptions } from "@tanstack/react-query";
import { api, body, type DatasetVersion, type Schemas } from "./client";
import { forget } from "./forget";

export type Change = Schemas["ChangeView"];
export type Warning = Schemas["RowWarning"];
export type RepairReport = Schemas["RepairReport"];
export type Tokens = Schemas["DatasetTokens"];
export type TokensWanted = Schemas["TokensRequest"];
export type SplitWanted = Schemas["SplitRequest"];
export type Import = Schemas["ImportCreate"];

const PAGE = 30;
const ROWS = 20;
const LIVE_SECONDS = 1;
const QUIET_SECONDS = 15;

export function datasetPages(search: string) {
  return infiniteQueryOptions({
    queryKey: ["datasets", { search }],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) =>
      body(api.GET("/api/datasets", { params: { query: { search: search || null, cursor, limit: PAGE } }, signal })),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
  });
}

/** The latest version of the dataset of that very name; null where there is none yet. */
export function latestQuery(name: string) {
  return queryOptions({
    queryKey: ["datasets", { named: name }],
    queryFn: async ({ signal }): Promise<DatasetVersion | null> => {
      const { items } = await body(
        api.GET("/api/datasets", { params: { query: { search: name, limit: 100 } }, signal }),
      );
      return items.find((one) => one.name === name)?.latest ?? null;
    },
    enabled: name !== "",
  });
}

/** A dataset; `version` stands in the place of the latest. */
export function datasetQuery(name: string, version?: number) {
  return queryOptions({
    queryKey: ["dataset", name, "one", version ?? null],
    queryFn: ({ signal }) =>
      body(api.GET("/api/datasets/{name}", { params: { path: { name }, query: { version } }, signal })),
    placeholderData: keepPreviousData,
  });
}

export function versionPages(name: string) {
  return infiniteQueryOptions({
    queryKey: ["dataset", name, "versions"],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) =>
      body(
        api.GET("/api/datasets/{name}/versions", {
          params: { path: { name }, query: { cursor, limit: PAGE } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
}

/** Rows of a version from row `offset` (from 0) on, or those that have `search` in them. */
export function rowPages(name: string, version: number, offset: number, search: string) {
  return infiniteQueryOptions({
    queryKey: ["dataset", name, "rows", version, offset, search],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) => {
      const where = cursor === undefined ? { version, offset } : { cursor };
      const query = { ...where, limit: ROWS, search: search || null };
      return body(api.GET("/api/datasets/{name}/preview", { params: { path: { name }, query }, signal }));
    },
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY, // a version does not change
  });
}

/** What a model would be trained on. The service computes for some seconds, so it is asked once. */
export function tokensQuery(name: string, wanted: TokensWanted) {
  return queryOptions({
    queryKey: ["dataset", name, "tokens", wanted],
    queryFn: ({ signal }) =>
      body(api.POST("/api/datasets/{name}/tokens", { params: { path: { name } }, body: wanted, signal })),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function isOpen(change: Change): boolean {
  return change.state === "waiting" || change.state === "working";
}

/** A repair or a split, asked for until it has ended. */
export function changeQuery(id: string | null) {
  return queryOptions({
    queryKey: ["change", id],
    queryFn: ({ signal }) =>
      body(api.GET("/api/datasets/changes/{change_id}", { params: { path: { change_id: id ?? "" } }, signal })),
    enabled: id !== null,
    refetchInterval: ({ state }) => (state.data && !isOpen(state.data) ? false : 1000 * LIVE_SECONDS),
  });
}

/** The newest repairs and splits of a dataset. */
export function changesQuery(name: string) {
  return queryOptions({
    queryKey: ["dataset", name, "changes"],
    queryFn: ({ signal }) =>
      body(api.GET("/api/datasets/changes", { params: { query: { dataset: name, limit: 20 } }, signal })),
    refetchInterval: ({ state }) => 1000 * (state.data?.items.some(isOpen) ? LIVE_SECONDS : QUIET_SECONDS),
  });
}

export function startRepair(name: string, version: number, fixes: string[], dryRun: boolean): Promise<Change> {
  const params = { path: { name } };
  return body(api.POST("/api/datasets/{name}/repairs", { params, body: { version, fixes, dryRun } }));
}

export function startSplit(name: string, wanted: SplitWanted): Promise<Change> {
  return body(api.POST("/api/datasets/{name}/splits", { params: { path: { name } }, body: wanted }));
}

export function cancelChange(id: string): Promise<Change> {
  return body(api.POST("/api/datasets/changes/{change_id}/cancel", { params: { path: { change_id: id } } }));
}

/** With `version` that one alone, else all of them. */
export async function deleteDataset(name: string, version?: number): Promise<void> {
  await api.DELETE("/api/datasets/{name}", { params: { path: { name }, query: { version } } });
}

/** After the deletion of all of it, or of a version. */
export function forgetDataset(client: QueryClient, name: string, version?: number): void {
  void client.invalidateQueries({ queryKey: ["datasets"] });
  const left = [datasetQuery(name).queryKey, versionPages(name).queryKey, changesQuery(name).queryKey];
  forget(client, ["dataset", name], version === undefined ? null : left);
}

export function startImport(wanted: Import): Promise<Schemas["JobView"]> {
  return body(api.POST("/api/imports", { body: wanted }));
}
