import { Box, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { jobQuery } from "../../api/jobs";
import { jobFailure } from "../../lib/failures";
import { ChangeButton } from "../../ui/Changing";
import { JobProgress } from "../../ui/JobProgress";
import { ProblemDetail } from "../../ui/ProblemDetail";
import { hasEnded } from "../../ui/StatusBadge";

interface Props {
  label: string;
  start: () => Promise<Job>;
  plain?: boolean;
}

/** Starts a job that brings what is missing, shows how far it is, and looks again at what is installed. */
export function OneClick({ label, start, plain = false }: Props) {
  const { t } = useTranslation("new");
  const client = useQueryClient();
  const [id, setId] = useState<string | null>(null);
  const begin = useMutation({ mutationFn: start, onSuccess: (job) => setId(job.id) });
  const { data: job } = useQuery({
    ...jobQuery(id ?? ""),
    enabled: id !== null,
    refetchInterval: ({ state }) => (state.data && hasEnded(state.data.status) ? false : 1000),
  });
  useEffect(() => {
    if (job?.status === "completed") void client.invalidateQueries({ queryKey: ["installed"] });
  }, [job?.status, client]);
  const busy = begin.isPending || (id !== null && (job === undefined || !hasEnded(job.status)));
  return (
    <div>
      <ChangeButton size="sm" variant={plain ? "default" : "filled"} loading={busy} onClick={() => begin.mutate()}>
        {label}
      </ChangeButton>
      {job && !hasEnded(job.status) && (
        <Box mt="xs">
          <JobProgress job={job} />
        </Box>
      )}
      {job?.error && (
        <Box c="var(--k-bad)" role="alert">
          <ProblemDetail failure={jobFailure(job.error)} titled />
        </Box>
      )}
      {job?.status === "completed" && <Text size="sm">{t("missing.done")}</Text>}
    </div>
  );
}
