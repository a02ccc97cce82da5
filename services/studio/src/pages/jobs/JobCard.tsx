import { Anchor, Group, Stack, Text } from "@mantine/core";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Job } from "../../api/client";
import { jobFailure } from "../../lib/failures";
import { useFormat } from "../../lib/format";
import { JobProgress } from "../../ui/JobProgress";
import { useJobTitle } from "../../ui/jobTitle";
import { FailureLine } from "../../ui/ProblemDetail";
import { StatusBadge } from "../../ui/StatusBadge";
import { WholeActions } from "../job/WholeActions";
import classes from "./JobsPage.module.css";
import { QueuePlace } from "./QueuePlace";

/** Drawn anew only when its job has changed: there may be hundreds. */
export const JobCard = memo(function JobCard({ job }: { job: Job }) {
  const { t } = useTranslation("jobs");
  const format = useFormat();
  const titleOf = useJobTitle();
  return (
    <article className={`k-card k-lift ${classes.card}`}>
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Stack gap={4} style={{ minWidth: 0 }}>
          <Group gap="sm">
            <Text component={Link} to={`/jobs/${job.id}`} fw={650} size="lg" className="k-name">
              <bdi>{titleOf(job)}</bdi>
            </Text>
            <StatusBadge job={job} />
          </Group>
          <Text size="sm" c="dimmed">
            {job.kind !== "train" && <>{t(`common:kinds.${job.kind}`)} · </>}
            <ConfigLine job={job} /> · {format.ago(job.createdAt)}
          </Text>
        </Stack>
        <WholeActions job={job} />
      </Group>
      {job.status === "pending" ? (
        <QueuePlace job={job} />
      ) : (
        <Stack mt="sm" gap={0}>
          <JobProgress job={job} />
        </Stack>
      )}
      <Figures job={job} />
      {job.error && (
        <div className={classes.reason}>
          <FailureLine failure={jobFailure(job.error)} />{" "}
          <Anchor component={Link} to={`/jobs/${job.id}#log`} size="sm">
            {t("seeLog")}
          </Anchor>
        </div>
      )}
    </article>
  );
});

/** Base model, dataset and recipe, each isolated: names may be of either direction. */
function ConfigLine({ job }: { job: Job }) {
  const { baseModel, dataset, recipe } = job.config;
  const parts = [
    baseModel && `${baseModel.name}@${baseModel.version}`,
    dataset && `${dataset.name}@${dataset.version}`,
    recipe,
  ];
  return parts
    .filter((part) => Boolean(part))
    .map((part, place) => (
      <span key={part}>
        {place > 0 && " · "}
        <bdi>{part}</bdi>
      </span>
    ));
}

function Figures({ job }: { job: Job }) {
  const { t } = useTranslation("jobs");
  const format = useFormat();
  const { loss, evalLoss, accuracy, perplexity, tokensPerSecond } = job.progress;
  const shown: [string, number | null | undefined][] = [
    ["loss", loss],
    ["eval_loss", evalLoss],
    ["perplexity", perplexity],
    ["accuracy", accuracy],
    ["tokens_per_second", tokensPerSecond],
  ];
  return (
    <dl className={`${classes.figures} k-numbers`}>
      {shown.map(
        ([name, value]) =>
          value != null && (
            <div key={name}>
              <dt>{t(`common:metrics.${name}`)}</dt>
              <dd>{name === "accuracy" ? format.percent(value * 100, 1) : format.figure(value)}</dd>
            </div>
          ),
      )}
      {job.durationSeconds != null && job.durationSeconds > 0 && (
        <div>
          <dt>{t("duration")}</dt>
          <dd>{format.duration(job.durationSeconds)}</dd>
        </div>
      )}
    </dl>
  );
}
