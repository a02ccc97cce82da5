// The checkpoints that can be gone back to: pinned, downloaded, restored, or the start of a new job.
import { ActionIcon, Group, Table, Text, Tooltip } from "@mantine/core";
import { IconDownload, IconPin, IconPinFilled } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { api, body, type Job, type Schemas } from "../../api/client";
import { checkpointsQuery, jobQuery } from "../../api/jobs";
import { fetchFile } from "../../lib/files";
import { useFormat } from "../../lib/format";
import { ChangeButton, ChangeIcon } from "../../ui/Changing";
import { Bones, Empty, Failed } from "../../ui/states";

type Checkpoint = Schemas["CheckpointView"];

export function CheckpointsTab({ job }: { job: Job }) {
  const { t } = useTranslation("job");
  const { data, error, refetch } = useQuery(checkpointsQuery(job.id));
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones />;
  if (data.items.length === 0) return <Empty title={t("checkpoints.none")} text={t("checkpoints.noneText")} />;
  return (
    <Table.ScrollContainer minWidth={620} type="native" tabIndex={0}>
      <Table verticalSpacing="sm" className="k-numbers">
        <Table.Thead>
          <Table.Tr>
            {["step", "epoch", "reason", "size", "made"].map((name) => (
              <Table.Th key={name}>{t(`checkpoints.${name}`)}</Table.Th>
            ))}
            <Table.Th>
              <span className="k-skip">{t("checkpoints.actions")}</span>
            </Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {data.items.map((checkpoint) => (
            <Line key={checkpoint.id} job={job} checkpoint={checkpoint} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Line({ job, checkpoint }: { job: Job; checkpoint: Checkpoint }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  return (
    <Table.Tr>
      <Table.Td>{format.number(checkpoint.step)}</Table.Td>
      <Table.Td>{format.number(checkpoint.epoch)}</Table.Td>
      <Table.Td>{t(`checkpoints.reasons.${checkpoint.reason}`, checkpoint.reason)}</Table.Td>
      <Table.Td>{format.bytes(checkpoint.sizeBytes)}</Table.Td>
      <Table.Td>
        <Text size="sm" title={format.dateTime(checkpoint.createdAt)}>
          {format.ago(checkpoint.createdAt)}
        </Text>
      </Table.Td>
      <Table.Td>
        <Actions job={job} checkpoint={checkpoint} />
      </Table.Td>
    </Table.Tr>
  );
}

function Actions({ job, checkpoint }: { job: Job; checkpoint: Checkpoint }) {
  const { t } = useTranslation("job");
  const { pin, download, resume, restart } = useCheckpointActions(job, checkpoint);
  const Icon = checkpoint.pinned ? IconPinFilled : IconPin;
  return (
    <Group gap="xs" justify="flex-end" wrap="nowrap">
      <Tooltip label={t(checkpoint.pinned ? "checkpoints.unpin" : "checkpoints.pin")}>
        <ChangeIcon
          variant="default"
          aria-pressed={checkpoint.pinned}
          aria-label={t(checkpoint.pinned ? "checkpoints.unpin" : "checkpoints.pin")}
          loading={pin.isPending}
          onClick={() => pin.mutate()}
        >
          <Icon size={16} aria-hidden />
        </ChangeIcon>
      </Tooltip>
      <Tooltip label={t("checkpoints.download")}>
        <ActionIcon
          variant="default"
          aria-label={t("checkpoints.download")}
          loading={download.isPending}
          onClick={() => download.mutate()}
        >
          <IconDownload size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
      {job.status === "paused" && (
        <ChangeButton size="xs" variant="default" loading={resume.isPending} onClick={() => resume.mutate()}>
          {t("checkpoints.resume")}
        </ChangeButton>
      )}
      <ChangeButton size="xs" variant="default" loading={restart.isPending} onClick={() => restart.mutate()}>
        {t("checkpoints.restart")}
      </ChangeButton>
    </Group>
  );
}

function useCheckpointActions(job: Job, checkpoint: Checkpoint) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const path = { job_id: job.id };
  const pin = useMutation({
    mutationFn: () =>
      body(
        api.PATCH("/api/jobs/{job_id}/checkpoints/{checkpoint_id}", {
          params: { path: { ...path, checkpoint_id: checkpoint.id } },
          body: { pinned: !checkpoint.pinned },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: checkpointsQuery(job.id).queryKey }),
  });
  // The browser fetches it as a stream, however large it is, and cannot say who asks: the link does.
  const download = useMutation({
    mutationFn: () =>
      body(
        api.POST("/api/jobs/{job_id}/checkpoints/{checkpoint_id}/link", {
          params: { path: { ...path, checkpoint_id: checkpoint.id } },
        }),
      ),
    onSuccess: ({ url }) => fetchFile(url, `${job.id}-step-${checkpoint.step}.tar`),
  });
  const resume = useMutation({
    mutationFn: () =>
      body(api.POST("/api/jobs/{job_id}/resume", { params: { path }, body: { checkpoint: checkpoint.id } })),
    onSuccess: (changed) => client.setQueryData(jobQuery(job.id).queryKey, changed),
  });
  const restart = useMutation({
    mutationFn: () =>
      body(
        api.POST("/api/jobs/{job_id}/restart", {
          params: { path },
          body: { checkpoint: checkpoint.id, fromScratch: false },
        }),
      ),
    onSuccess: (made) => navigate(`/jobs/${made.id}`),
  });
  return { pin, download, resume, restart };
}
