// One job, live: where it is, its curves, its history, its log.
import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";
import type { Job } from "../../api/client";
import { useJobFeed } from "../../api/feed";
import { jobQuery } from "../../api/jobs";
import { statusQuery } from "../../api/platform";
import { jobFailure } from "../../lib/failures";
import { HashTabs } from "../../ui/HashTabs";
import { JobProgress } from "../../ui/JobProgress";
import { useJobTitle } from "../../ui/jobTitle";
import { PageHead } from "../../ui/PageHead";
import { ProblemDetail } from "../../ui/ProblemDetail";
import { useFailureWords } from "../../ui/problems";
import { StatusBadge } from "../../ui/StatusBadge";
import { Bones, Failed } from "../../ui/states";
import { QueuePlace } from "../jobs/QueuePlace";
import { CheckpointsTab } from "./CheckpointsTab";
import { ConfigTab } from "./ConfigTab";
import { CurvesTab } from "./CurvesTab";
import { FeedMark } from "./FeedMark";
import { LogTab } from "./LogTab";
import { Result } from "./Result";
import { SamplesTab } from "./SamplesTab";
import { TimelineTab } from "./TimelineTab";
import { Vitals } from "./Vitals";
import { WholeActions } from "./WholeActions";

export default function JobPage() {
  const { id = "" } = useParams();
  const { data: job, error, refetch } = useQuery(jobQuery(id));
  if (error !== null && job === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (job === undefined) return <Bones lines={5} height={90} />;
  return <Whole key={job.id} job={job} />;
}

function Whole({ job }: { job: Job }) {
  const { t } = useTranslation("job");
  const feed = useJobFeed(job.id);
  const titleOf = useJobTitle();
  return (
    <Stack gap="lg">
      <div>
        <PageHead
          title={titleOf(job)}
          back={{ to: "/jobs", label: t("back") }}
          text={
            <Group gap="sm">
              <StatusBadge job={job} />
              <FeedMark state={feed} />
              <Text size="sm" c="dimmed" className="k-mono" dir="ltr">
                {job.id}
              </Text>
            </Group>
          }
        >
          <GrafanaLink job={job} />
          <WholeActions job={job} />
        </PageHead>
        {job.status === "pending" ? <QueuePlace job={job} /> : <JobProgress job={job} />}
      </div>
      {job.error && <Cause error={job.error} ended={job.status === "error"} />}
      <Vitals job={job} />
      <Result job={job} />
      <Parts job={job} />
    </Stack>
  );
}

/** The same job's dashboard, where the platform has a Grafana. */
function GrafanaLink({ job }: { job: Job }) {
  const { data } = useQuery(statusQuery);
  const grafana = data?.endpoints.grafana;
  if (grafana === undefined || job.kind !== "train") return null;
  return (
    <Button
      component="a"
      variant="default"
      target="_blank"
      rel="noreferrer"
      href={`${grafana}/d/kargah-training?var-job=${encodeURIComponent(job.id)}`}
      leftSection={<IconExternalLink size={16} aria-hidden />}
    >
      Grafana
    </Button>
  );
}

function Cause({ error, ended }: { error: NonNullable<Job["error"]>; ended: boolean }) {
  const { t } = useTranslation("job");
  const failure = jobFailure(error);
  const what = useFailureWords()(failure).title ?? error.code;
  return (
    <Alert color="red" title={t(ended ? "failed" : "lastFailure", { what })}>
      <Stack gap="xs">
        <ProblemDetail failure={failure} />
      </Stack>
    </Alert>
  );
}

/** Views that its kind has something for. */
function Parts({ job }: { job: Job }) {
  const { t } = useTranslation("job");
  const trains = job.kind === "train";
  return (
    <HashTabs
      labelOf={(name) => t(`tabs.${name}`)}
      views={{
        ...(trains && { curves: <CurvesTab job={job} /> }),
        log: <LogTab job={job} />,
        timeline: <TimelineTab job={job} />,
        ...(trains && { checkpoints: <CheckpointsTab job={job} /> }),
        ...((trains || job.kind === "evaluate") && { samples: <SamplesTab job={job} /> }),
        config: <ConfigTab job={job} />,
      }}
    />
  );
}
