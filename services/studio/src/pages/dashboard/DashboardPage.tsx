// What goes on: running and waiting, workers and what they do, what is stored, what failed lately and why.
import { Anchor, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconFlask } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Job } from "../../api/client";
import { jobPages } from "../../api/jobs";
import { installedQuery, statusQuery } from "../../api/platform";
import { jobFailure } from "../../lib/failures";
import { useFormat } from "../../lib/format";
import { ChangeButton } from "../../ui/Changing";
import { useJobTitle } from "../../ui/jobTitle";
import { PageHead } from "../../ui/PageHead";
import { FailureLine } from "../../ui/ProblemDetail";
import { hasEnded } from "../../ui/StatusBadge";
import { Bones, Empty, Failed } from "../../ui/states";
import { JobCard } from "../jobs/JobCard";
import classes from "./DashboardPage.module.css";
import { Workers } from "./Workers";

const FAILURES = 5;

export default function DashboardPage() {
  const { t } = useTranslation("dashboard");
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        <ChangeButton to="/new">{t("common:nav.new")}</ChangeButton>
      </PageHead>
      <Stack gap="xl">
        <Counts />
        <Current />
        <Workers />
        <Failures />
      </Stack>
    </>
  );
}

function Counts() {
  const { t } = useTranslation("dashboard");
  const format = useFormat();
  const { data: status, error } = useQuery(statusQuery);
  const { data: installed } = useQuery(installedQuery);
  if (error !== null && status === undefined) return <Failed error={error} />;
  if (status === undefined) return <Bones lines={1} height={90} />;
  const jobs = status.jobs;
  const running = (jobs.preparing ?? 0) + (jobs.training ?? 0) + (jobs.evaluating ?? 0);
  const stored = installed && [...installed.models, ...installed.datasets].reduce((sum, one) => sum + one.sizeBytes, 0);
  // Jobs of every kind are counted: the lists that these lead to show every kind.
  const shown: [string, string | null, string | null][] = [
    ["running", format.number(running), "/jobs?kind=all"],
    ["waiting", format.number(jobs.pending ?? 0), "/jobs?kind=all&status=pending"],
    ["completed", format.number(jobs.completed ?? 0), "/jobs?kind=all&status=completed"],
    ["failed", format.number(jobs.error ?? 0), "/jobs?kind=all&status=error"],
    ["workers", format.number(status.workers.alive ?? 0), null],
    ["stored", stored === undefined ? null : format.bytes(stored), "/models"],
  ];
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }}>
      {shown.map(([name, value, to]) => (
        <Count key={name} to={to}>
          <Text size="sm" c="dimmed">
            {t(`counts.${name}`)}
          </Text>
          <Text className={classes.number}>{value ?? "–"}</Text>
        </Count>
      ))}
    </SimpleGrid>
  );
}

/** Leads to what it counts, unless that is on this page. */
function Count({ to, children }: { to: string | null; children: ReactNode }) {
  const style = `k-card ${classes.count}`;
  if (to === null) return <div className={style}>{children}</div>;
  return (
    <Link to={to} className={style}>
      {children}
    </Link>
  );
}

function Current() {
  const { t } = useTranslation(["dashboard", "jobs"]);
  const { data, error, isPending } = useInfiniteQuery(jobPages({ kind: "train" }));
  if (isPending) return <Bones lines={2} height={140} />;
  if (error !== null && data === undefined) return <Failed error={error} />;
  const jobs = data?.pages[0]?.items ?? [];
  if (jobs.length === 0) {
    return (
      <Empty title={t("jobs:empty.title")} text={t("jobs:empty.text")} icon={<IconFlask size={52} stroke={1.2} />}>
        <ChangeButton to="/new">{t("jobs:empty.start")}</ChangeButton>
      </Empty>
    );
  }
  const current = jobs.filter((job) => !hasEnded(job.status));
  const shown = (current.length > 0 ? current : jobs).slice(0, 3);
  return (
    <Section title={t(current.length > 0 ? "current" : "latest")} more="/jobs">
      <Stack>
        {shown.map((job) => (
          <JobCard key={job.id} job={job} />
        ))}
      </Stack>
    </Section>
  );
}

function Failures() {
  const { t } = useTranslation("dashboard");
  const { data } = useInfiniteQuery(jobPages({ status: "error" }));
  const failed = (data?.pages[0]?.items ?? []).slice(0, FAILURES);
  if (failed.length === 0) return null;
  return (
    <Section title={t("failures")} more="/jobs?kind=all&status=error">
      <Stack gap="xs">
        {failed.map((job) => (
          <Failure key={job.id} job={job} />
        ))}
      </Stack>
    </Section>
  );
}

function Failure({ job }: { job: Job }) {
  const titleOf = useJobTitle();
  const format = useFormat();
  return (
    <div className={`k-card ${classes.failure}`}>
      <Group justify="space-between" gap="xs">
        <Anchor component={Link} to={`/jobs/${job.id}`}>
          <bdi>{titleOf(job)}</bdi>
        </Anchor>
        <Text size="sm" c="dimmed">
          {format.ago(job.finishedAt ?? job.createdAt)}
        </Text>
      </Group>
      {job.error && (
        <Text size="sm" component="div">
          <FailureLine failure={jobFailure(job.error)} />
        </Text>
      )}
    </div>
  );
}

export function Section({ title, more, children }: { title: string; more?: string; children: ReactNode }) {
  const { t } = useTranslation("dashboard");
  return (
    <section>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          {title}
        </Title>
        {more && (
          <Anchor component={Link} to={more} size="sm" aria-label={`${t("common:all")}: ${title}`}>
            {t("common:all")}
          </Anchor>
        )}
      </Group>
      {children}
    </section>
  );
}
