// Long work on models, each a job: install, export, evaluate, train further, push. Failures are told in the form that asked.
import { type UseMutationResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, body, type Job, type Schemas } from "./client";

export type Install = Pick<Schemas["InstallCreate"], "source" | "name">;
export type Export = Pick<Schemas["ExportCreate"], "model" | "outputModel" | "format" | "quantization">;
export type Evaluation = Pick<Schemas["EvaluationCreate"], "model" | "dataset" | "config">;
export type Extension = Schemas["ExtendRequest"];
export type Push = Pick<Schemas["PushCreate"], "model" | "repository" | "endpoint" | "revision" | "private">;

function useTask<Wish>(send: (wish: Wish) => Promise<Job>): UseMutationResult<Job, Error, Wish> {
  const client = useQueryClient();
  return useMutation({
    meta: { quiet: true },
    mutationFn: send,
    onSuccess: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
}

export function useInstall() {
  return useTask((wish: Install) => body(api.POST("/api/installs", { body: wish })));
}

export function useExport() {
  return useTask((wish: Export) => body(api.POST("/api/exports", { body: wish })));
}

export function useEvaluation() {
  return useTask((wish: Evaluation) => body(api.POST("/api/evaluations", { body: wish })));
}

export function useExtension(id: string) {
  const params = { path: { job_id: id } };
  return useTask((wish: Extension) => body(api.POST("/api/jobs/{job_id}/extend", { params, body: wish })));
}

export function usePush() {
  return useTask((wish: Push) => body(api.POST("/api/pushes", { body: wish })));
}
