// Installed models: what is asked about them, and what changes what points to their versions.
import {
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { tellDone } from "../ui/toasts";
import { api, body, identified, type ModelVersion, type Schemas } from "./client";
import { forget } from "./forget";
import { problemOf } from "./problem";

export type Alias = Schemas["AliasView"];
export type ModelFile = Schemas["ModelFile"];
export type LineageNode = Schemas["LineageNode"];
export type LineageView = Schemas["LineageView"];

const PAGE = 100;
const CARD_CHARACTERS = 200_000;

export function modelPages(search: string) {
  return infiniteQueryOptions({
    queryKey: ["models", search],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor, signal }) =>
      body(api.GET("/api/models", { params: { query: { limit: PAGE, cursor, search: search || undefined } }, signal })),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
}

/** A model; `version` (a number or an alias) chooses which stands in `latest`. */
export function modelQuery(name: string, version?: string) {
  return queryOptions({
    queryKey: ["model", name, version ?? null],
    queryFn: ({ signal }) =>
      body(api.GET("/api/models/{name}", { params: { path: { name }, query: { version } }, signal })),
  });
}

/** The newest hundred versions. */
export function versionsQuery(name: string) {
  return queryOptions({
    queryKey: ["model", name, "versions"],
    queryFn: ({ signal }) =>
      body(api.GET("/api/models/{name}/versions", { params: { path: { name }, query: { limit: PAGE } }, signal })),
  });
}

export function aliasesQuery(name: string) {
  return queryOptions({
    queryKey: ["model", name, "aliases"],
    queryFn: ({ signal }) => body(api.GET("/api/models/{name}/aliases", { params: { path: { name } }, signal })),
  });
}

export function lineageQuery({ model: name, version }: ModelVersion) {
  return queryOptions({
    queryKey: ["model", name, "lineage", version],
    queryFn: ({ signal }) =>
      body(
        api.GET("/api/models/{name}/lineage", { params: { path: { name }, query: { version: `${version}` } }, signal }),
      ),
  });
}

/** The beginning of the model card, which is as long as anybody should read on a page. */
export function cardQuery(version: ModelVersion) {
  return queryOptions({
    queryKey: ["model", version.model, "card", version.version],
    queryFn: async ({ signal }) => {
      const answer = await identified(new Request(fileAddress(version, "README.md"), { signal }));
      if (!answer.ok) throw problemOf(answer.status, await answer.json().catch(() => null));
      const text = await answer.text();
      return text.slice(0, CARD_CHARACTERS);
    },
    staleTime: Number.POSITIVE_INFINITY, // a version never changes
  });
}

/** Where a file of a version is read. */
export function fileAddress({ model, version }: ModelVersion, path: string): string {
  const parts = (text: string) => text.split("/").map(encodeURIComponent).join("/");
  return `${window.location.origin}/api/models/${parts(model)}/files/${parts(path)}?version=${version}`;
}

/** An address of a file that the browser can fetch as a stream, however large it is. */
export function fileLink({ model: name, version }: ModelVersion, path: string) {
  const params = { path: { name, path }, query: { version: `${version}` } };
  return body(api.POST("/api/models/{name}/files/{path}/link", { params }));
}

/** Asks for everything about models anew. */
function useFresh(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    const kept = ["models", "model", "installed", "talkers"];
    await Promise.all(kept.map((key) => client.invalidateQueries({ queryKey: [key] })));
  };
}

export interface AliasChange {
  alias: string;
  version: number;
  /** Where it is thought to point now; 0: nowhere yet. */
  expected: number;
}

/** Points an alias to a version, if nobody moved it meanwhile. */
export function useMoveAlias(name: string) {
  const { t } = useTranslation("models");
  const fresh = useFresh();
  return useMutation({
    mutationFn: ({ alias, ...move }: AliasChange) =>
      body(api.PUT("/api/models/{name}/aliases/{alias}", { params: { path: { name, alias } }, body: move })),
    onSuccess: ({ alias }) => tellDone(t("aliases.moved", { alias })),
    onSettled: fresh,
  });
}

export function useDropAlias(name: string) {
  const { t } = useTranslation("models");
  const fresh = useFresh();
  return useMutation({
    mutationFn: (alias: string) =>
      api.DELETE("/api/models/{name}/aliases/{alias}", { params: { path: { name, alias } } }),
    onSuccess: (_answer, alias) => tellDone(t("aliases.dropped", { alias })),
    onSettled: fresh,
  });
}

export function useTags({ model: name, version }: ModelVersion) {
  const fresh = useFresh();
  return useMutation({
    mutationFn: (change: { add: string[]; remove: string[] }) =>
      body(
        api.PATCH("/api/models/{name}/tags", {
          params: { path: { name }, query: { version: `${version}` } },
          body: change,
        }),
      ),
    onSettled: fresh,
  });
}

/** After the deletion of all of it, or of a version. */
export function forgetModel(client: QueryClient, name: string, version?: string): void {
  for (const key of ["models", "installed", "talkers"]) void client.invalidateQueries({ queryKey: [key] });
  void client.invalidateQueries({ queryKey: ["model"], predicate: ({ queryKey }) => queryKey[1] !== name });
  const left = [modelQuery(name).queryKey, versionsQuery(name).queryKey, aliasesQuery(name).queryKey];
  forget(client, ["model", name], version === undefined ? null : left);
}

/** Deletes a version, or without one the whole model. Its failure is told where it is asked for. */
export function useDeleteModel(name: string) {
  const client = useQueryClient();
  return useMutation({
    meta: { quiet: true },
    mutationFn: (version: string | undefined) =>
      api.DELETE("/api/models/{name}", { params: { path: { name }, query: { version } } }),
    onSuccess: (_answer, version) => forgetModel(client, name, version),
  });
}
