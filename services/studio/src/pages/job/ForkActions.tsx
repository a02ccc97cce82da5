// New jobs made of this one: begun again, or trained further.
import { Menu } from "@mantine/core";
import { IconChartLine, IconCopyPlus, IconPlayerTrackNext, IconRefresh } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { api, body, type Job } from "../../api/client";
import { ChangeItem } from "../../ui/Changing";
import { hasEnded } from "../../ui/StatusBadge";

interface Props {
  job: Job;
  onExtend: () => void;
}

export function ForkActions({ job, onExtend }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const params = { path: { job_id: job.id } };
  const restart = useMutation({
    mutationFn: () => body(api.POST("/api/jobs/{job_id}/restart", { params, body: { fromScratch: true } })),
    onSuccess: (made) => navigate(`/jobs/${made.id}`),
  });
  const trains = job.kind === "train";
  if (!hasEnded(job.status)) return trains ? <Others job={job} /> : null;
  return (
    <>
      <ChangeItem leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => restart.mutate()}>
        {t("controls.restart")}
      </ChangeItem>
      {job.status === "completed" && trains && (
        <ChangeItem leftSection={<IconPlayerTrackNext size={16} aria-hidden />} onClick={onExtend}>
          {t("controls.extend")}
        </ChangeItem>
      )}
      {trains && <Others job={job} />}
    </>
  );
}

function Others({ job }: { job: Job }) {
  const { t } = useTranslation();
  return (
    <>
      <ChangeItem to={`/new?from=${job.id}`} leftSection={<IconCopyPlus size={16} aria-hidden />}>
        {t("controls.like")}
      </ChangeItem>
      <Menu.Item component={Link} to={`/compare?jobs=${job.id}`} leftSection={<IconChartLine size={16} aria-hidden />}>
        {t("controls.compare")}
      </Menu.Item>
    </>
  );
}
