// What a finished job made, and the ways on from there.
import { Button, Group, Text } from "@mantine/core";
import { IconBox, IconMessages } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Job } from "../../api/client";

export function Result({ job }: { job: Job }) {
  const { t } = useTranslation("job");
  const model = job.config.outputModel;
  if (job.status !== "completed" || !model || job.kind !== "train") return null;
  return (
    <Group className="k-card" p="md" justify="space-between">
      <Text>
        {t("result.made")} <bdi style={{ fontWeight: 650 }}>{model}</bdi>
      </Text>
      <Group gap="xs">
        <Button variant="default" component={Link} to={`/models/${model}`} leftSection={<IconBox size={17} />}>
          {t("result.open")}
        </Button>
        <Button
          component={Link}
          to={`/playground?model=${encodeURIComponent(model)}`}
          leftSection={<IconMessages size={17} />}
        >
          {t("result.chat")}
        </Button>
      </Group>
    </Group>
  );
}
