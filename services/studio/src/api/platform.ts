// The platform at large: services, workers, what is installed.
import { queryOptions } from "@tanstack/react-query";
import { api, body } from "./client";

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => body(api.GET("/api/status", { signal })),
  refetchInterval: 10_000,
});

export const workersQuery = queryOptions({
  queryKey: ["workers"],
  queryFn: ({ signal }) => body(api.GET("/api/workers", { signal })),
  refetchInterval: 5_000,
});

export const installedQuery = queryOptions({
  queryKey: ["installed"],
  queryFn: ({ signal }) => body(api.GET("/api/sources/installed", { signal })),
});

export const recipesQuery = queryOptions({
  queryKey: ["recipes"],
  queryFn: ({ signal }) => body(api.GET("/api/recipes", { signal })),
  staleTime: 60_000,
});
