// One repair or split, from the wish to the new version.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { type Change, changeQuery, changesQuery, isOpen } from "../../api/datasets";
import { ApiProblem } from "../../api/problem";
import { useFormat } from "../../lib/format";
import { tellDone } from "../../ui/toasts";

export interface Followed {
  start: (send: () => Promise<Change>) => void;
  change: Change | undefined;
  busy: boolean;
  /** Why it could not be begun, or came to nothing. */
  error: Error | null;
}

/** Begins a change and asks for it until it has ended. */
export function useChange(): Followed {
  const [id, setId] = useState<string | null>(null);
  const client = useQueryClient();
  const begin = useMutation({
    mutationFn: (send: () => Promise<Change>) => send(),
    onSuccess: (begun) => {
      client.setQueryData(changeQuery(begun.id).queryKey, begun);
      void client.invalidateQueries({ queryKey: changesQuery(begun.dataset).queryKey });
      setId(begun.id);
    },
    meta: { quiet: true }, // it is told where it was asked for
  });
  const { data, error } = useQuery(changeQuery(id));
  const change = begin.isPending ? undefined : data;
  const problem = change?.problem ? new ApiProblem(change.problem.status, change.problem, change.problem.detail) : null;
  return {
    start: begin.mutate,
    change,
    busy: begin.isPending || (id !== null && (change === undefined || isOpen(change)) && error === null),
    error: begin.error ?? error ?? problem,
  };
}

/** Leads to the version that `change` made, once it is there. */
export function useNewVersion(change: Change | undefined, onArrived: () => void): void {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const client = useQueryClient();
  const navigate = useNavigate();
  const made = change?.state === "done" ? change.version : null;
  const number = made?.version;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each version
  useEffect(() => {
    if (made == null || number === undefined) return;
    void client.invalidateQueries({ queryKey: ["dataset", made.dataset] });
    void client.invalidateQueries({ queryKey: ["datasets"] });
    tellDone(t(change?.isNew ? "change.made" : "change.unchanged", { number: format.number(number) }));
    onArrived();
    void navigate(`/datasets/${made.dataset}?version=${number}`);
  }, [made?.id]);
}
