// How far a job is: a bar, the step and epoch, and what is left.
import { Group, Progress, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Job } from "../api/client";
import { useFormat } from "../lib/format";
import { isLive } from "../lib/wishes";
import { useJobTitle } from "./jobTitle";

const COLORS: Partial<Record<Job["status"], string>> = { error: "red", paused: "zaferan", cancelled: "gray" };

export function JobProgress({ job }: { job: Job }) {
  const { t } = useTranslation();
  const format = useFormat();
  const titleOf = useJobTitle();
  const { percent = 0, step, totalSteps, epoch, epochs, etaSeconds, evaluated, toEvaluate } = job.progress;
  const live = isLive(job.status);
  return (
    <div>
      <Progress.Root size="md" radius="xl">
        <Progress.Section
          value={percent}
          color={COLORS[job.status] ?? "firouzeh"}
          animated={live}
          aria-label={t("progress.label", { name: titleOf(job) })}
        />
      </Progress.Root>
      <Group justify="space-between" mt={6} gap="xs" className="k-numbers">
        <Text size="sm" c="dimmed">
          {format.percent(percent)}
          {step != null && totalSteps != null && (
            <> · {t("progress.step", { step: format.number(step), total: format.number(totalSteps) })}</>
          )}
          {live && evaluated != null && toEvaluate != null && (
            <> · {t("progress.measured", { done: format.number(evaluated), total: format.number(toEvaluate) })}</>
          )}
          {epoch != null && epochs != null && (
            <> · {t("progress.epoch", { epoch: format.number(epoch, 1), total: format.number(epochs, 1) })}</>
          )}
        </Text>
        {live && etaSeconds != null && (
          <Text size="sm" c="dimmed">
            {t("progress.left", { time: format.duration(etaSeconds) })}
          </Text>
        )}
      </Group>
    </div>
  );
}
