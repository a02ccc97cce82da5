import { Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { queueQuery } from "../../api/jobs";
import { useFormat } from "../../lib/format";

/** Where a waiting job stands, and why it waits. */
export function QueuePlace({ job }: { job: Job }) {
  const { t } = useTranslation("jobs");
  const format = useFormat();
  const data = useQuery(queueQuery).data?.get(job.id);
  if (data === undefined) return null;
  return (
    <Text size="sm" mt="xs">
      {t("queue.place", { place: format.number(data.position) })} ·{" "}
      {t(`queue.${data.reason}`, { ahead: format.number(data.ahead.count) })}
    </Text>
  );
}
