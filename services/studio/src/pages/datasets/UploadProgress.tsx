import { Button, Group, Progress, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { dropUpload, type UploadItem } from "../../api/uploads";
import { useDirection } from "../../i18n";
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
  // A size stands by itself, in the direction of the page: its Latin unit would turn the words around it.
  const isolate = useDirection() === "rtl" ? "\u2067" : "\u2066";
  const bytes = (count: number) => `${isolate}${format.bytes(count)}\u2069`;
  const told = checking
    ? [t("upload.checking")]
    : [
        format.percent(percent),
        t("upload.of", { sent: bytes(sent), size: bytes(item.file.size) }),
        speed !== null && t("upload.speed", { speed: bytes(speed) }),
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
                <span className="k-bidi">{part}</span>
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
