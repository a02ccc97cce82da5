import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useNavigate } from "react-router";
import { jobQuery } from "../../api/jobs";
import { type Config, newKey, startTraining } from "../../api/training";
import type { Plan } from "./plan";

export interface Starting {
  go: () => void;
  busy: boolean;
  error: Error | null;
}

/** Submits the training, once however often it is sent; then to its page. */
export function useStart(plan: Plan): Starting {
  const navigate = useNavigate();
  const client = useQueryClient();
  const sent = useRef({ what: "", key: "" });
  const submit = useMutation({
    mutationFn: ({ name, config }: { name: string; config: Config }) => {
      const what = JSON.stringify([name, config]);
      if (sent.current.what !== what) sent.current = { what, key: newKey() };
      return startTraining(name, config, sent.current.key);
    },
    meta: { quiet: true }, // told beside the button
    onSuccess: (job) => {
      client.setQueryData(jobQuery(job.id).queryKey, job);
      void client.invalidateQueries({ queryKey: ["jobs"] });
      void navigate(`/jobs/${job.id}`);
    },
  });
  const { name, config } = plan;
  const told = JSON.stringify([submit.variables?.name, submit.variables?.config]);
  return {
    go: () => config !== null && plan.reasons.length === 0 && !submit.isPending && submit.mutate({ name, config }),
    busy: submit.isPending,
    // What was wrong with another configuration says nothing of this one.
    error: told === JSON.stringify([name, config]) ? submit.error : null,
  };
}
