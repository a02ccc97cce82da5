// Installations on their way: how far they are, and what can be done to them.
import { Anchor, Box, Group, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Job } from "../../api/client";
import { jobPages } from "../../api/jobs";
import { serverNow } from "../../lib/clock";
import { jobFailure } from "../../lib/failures";
import { JobActions } from "../../ui/JobActions";
import { JobProgress } from "../../ui/JobProgress";
import { ProblemDetail } from "../../ui/ProblemDetail";
import { hasEnded, StatusBadge } from "../../ui/StatusBadge";
import classes from "./ModelsPage.module.css";

/** How long after its failure an installation is still shown, in ms. */
const FAILURE_SHOWN = 15 * 60_000;

export function RunningInstalls() {
  const { t } = useTranslation("models");
  const { data } = useInfiniteQuery(jobPages({ kind: "install" }));
  const jobs = data?.pages.flatMap((page) => page.items) ?? [];
  useFreshModels(jobs.filter((job) => job.status === "completed").length);
  const shown = jobs.filter((job) => !hasEnded(job.status) || failedLately(job));
  if (shown.length === 0) return null;
  return (
    <section>
      <Title order={2} size="h4" mb="sm">
        {t("install.running")}
      </Title>
      <ul className={`k-list ${classes.installs}`}>
        {shown.map((job) => (
          <li key={job.id}>
            <Install job={job} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** One that is finished has made a model. */
function useFreshModels(finished: number) {
  const client = useQueryClient();
  useEffect(() => {
    if (finished === 0) return;
    void client.invalidateQueries({ queryKey: ["models"] });
    void client.invalidateQueries({ queryKey: ["installed"] });
  }, [finished, client]);
}

function failedLately({ status, finishedAt }: Job): boolean {
  return status === "error" && finishedAt != null && serverNow() - Date.parse(finishedAt) < FAILURE_SHOWN;
}

function Install({ job }: { job: Job }) {
  return (
    <article className={`k-card ${classes.job}`}>
      <Group justify="space-between" align="flex-start" mb="xs">
        <Stack gap={2} style={{ minWidth: 0 }}>
          <Group gap="sm">
            <Anchor component={Link} to={`/jobs/${job.id}#log`} fw={650} c="inherit">
              <bdi>{job.config.outputModel ?? job.name}</bdi>
            </Anchor>
            <StatusBadge job={job} />
          </Group>
          <Text size="sm" c="dimmed" className={classes.source}>
            <bdi dir="ltr" className="k-mono">
              {String(job.config.params.source ?? "")}
            </bdi>
          </Text>
        </Stack>
        <JobActions job={job} />
      </Group>
      <JobProgress job={job} />
      {job.progress.phase && (
        <Text size="sm" c="dimmed" dir="ltr" className="k-plain" mt={4}>
          {job.progress.phase}
        </Text>
      )}
      {job.error && (
        <Box c="var(--k-bad)" mt={4}>
          <ProblemDetail failure={jobFailure(job.error)} titled />
        </Box>
      )}
    </article>
  );
}
