import { Button, Group, Progress, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { dropUpload, type UploadItem } from "../../api/uploads";
import { useFormat } from "../../lib/format";
import { secondsLeft, speedOf } from "../../lib/transfer";

/** How much is sent, how fast, how long the rest takes; then that the file is being checked. */
export function UploadProgress({ item }: { item: UploadItem }) {
  const { t } = useTranslation("datasets");
  const format = useFormat();
  const sent = item.marks[item.marks.length - 1]?.bytes ?? 0;
  const percent = item.file.size === 0 ? 100 : Math.min(100, (100 * sent) / item.file.size);
  const checking = item.state === "checking";
  const speed = speedOf(item.marks);
  const left = secondsLeft(item.marks, item.file.size);
  const told = checking
    ? [t("upload.checking")]
    : [
        format.percent(percent),
        t("upload.of", { sent: format.bytes(sent), size: format.bytes(item.file.size) }),
        speed !== null && t("upload.speed", { speed: format.bytes(speed) }),
        left !== null && t("common:progress.left", { time: format.duration(left) }),
      ];
  return (
    <>
      <Progress.Root size="md" radius="xl">
        <Progress.Section value={percent} animated aria-label={t("upload.progress", { name: item.file.name })} />
      </Progress.Root>
      <Group justify="space-between" mt="xs" gap="xs">
        <Text size="sm" c="dimmed" className="k-numbers" role={checking ? "status" : undefined}>
          {told
            .filter((part) => part !== false)
            .map((part, place) => (
              <span key={part}>
                {place > 0 && " · "}
                <bdi>{part}</bdi>
              </span>
            ))}
        </Text>
        <Button size="xs" variant="default" onClick={() => dropUpload(item.id)}>
          {t("common:cancel")}
        </Button>
      </Group>
    </>
  );
}
