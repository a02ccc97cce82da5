import { useQuery } from "@tanstack/react-query";
import type { Job } from "../../api/client";
import { datasetFactsQuery, modelFactsQuery } from "../../api/training";
import { isAbsent, type Own, ownOf, referenceOf } from "./own";

interface Found {
  own: { model: Own | null; dataset: Own | null } | undefined;
  error: Error | null;
  refetch: () => unknown;
}

/** The versions that `job` was trained on; undefined until it is known whether they are there still. */
export function useOwn(job: Job | undefined): Found {
  const { baseModel, dataset: rows } = job?.config ?? {};
  const asked = {
    model: useQuery(modelFactsQuery(referenceOf(baseModel))),
    dataset: useQuery(datasetFactsQuery(referenceOf(rows))),
  };
  const model = ownOf(baseModel, asked.model);
  const dataset = ownOf(rows, asked.dataset);
  const failed = [asked.model, asked.dataset].find(({ error }) => error !== null && !isAbsent(error));
  return {
    own: job === undefined || model === undefined || dataset === undefined ? undefined : { model, dataset },
    error: failed?.error ?? null,
    refetch: () => failed?.refetch(),
  };
}
