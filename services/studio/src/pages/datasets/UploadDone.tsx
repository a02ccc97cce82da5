import { Button, Group, Text } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { dropUpload, type UploadItem } from "../../api/uploads";
import { useFormat } from "../../lib/format";
import { trainPath } from "../../lib/paths";

export function UploadDone({ item }: { item: UploadItem }) {
  const { t } = useTranslation("datasets");
  const format = useFormat();
  if (item.sent === null) return null;
  const { version, isNew } = item.sent;
  const told = {
    name: version.dataset,
    version: format.number(version.version),
    rows: format.number(version.stats.rows),
    format: t(`formats.${version.format}`, version.format),
  };
  const warned = (version.warnings ?? []).length > 0;
  const hide = () => dropUpload(item.id);
  return (
    <Group justify="space-between" gap="sm" role="status">
      <Group gap="xs" wrap="nowrap">
        <IconCircleCheck size={20} color="var(--k-good)" style={{ flex: "none" }} aria-hidden />
        <Text>
          {t(isNew ? "upload.done" : "upload.known", told)}
          {warned && (
            <Text span c="dimmed">
              {" "}
              {t("upload.warned")}
            </Text>
          )}
        </Text>
      </Group>
      <Group gap="xs">
        <Button
          variant="default"
          component={Link}
          to={`/datasets/${version.dataset}${warned ? "#warnings" : ""}`}
          onClick={hide}
        >
          {t("upload.open")}
        </Button>
        <Button component={Link} to={trainPath(version.dataset)} onClick={hide}>
          {t("train")}
        </Button>
      </Group>
    </Group>
  );
}
