import { ActionIcon, Group, Stack, Text } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { dropUpload, type UploadItem, useUploads } from "../../api/uploads";
import { useFormat } from "../../lib/format";
import classes from "./DatasetsPage.module.css";
import { UploadDone } from "./UploadDone";
import { UploadForm } from "./UploadForm";
import { UploadProgress } from "./UploadProgress";
import { UploadRefusal } from "./UploadRefusal";

/** The files that were chosen here: to be named, on their way, or arrived. */
export function UploadList() {
  const { t } = useTranslation("datasets");
  const items = useUploads();
  if (items.length === 0) return null;
  return (
    <Stack component="section" aria-label={t("upload.list")} gap="sm">
      {items.map((item) => (
        <UploadCard key={item.id} item={item} />
      ))}
    </Stack>
  );
}

function UploadCard({ item }: { item: UploadItem }) {
  const { t } = useTranslation("datasets");
  const format = useFormat();
  return (
    <article className={`k-card ${classes.upload}`} data-state={item.state}>
      <Group justify="space-between" wrap="nowrap" align="flex-start" mb="sm">
        <Text fw={650} style={{ overflowWrap: "anywhere" }}>
          <bdi>{item.file.name}</bdi>{" "}
          <Text span c="dimmed" size="sm" fw={400}>
            · {format.bytes(item.file.size)}
          </Text>
        </Text>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={t(item.state === "done" ? "upload.hide" : "upload.drop_it", { name: item.file.name })}
          onClick={() => dropUpload(item.id)}
        >
          <IconX size={17} aria-hidden />
        </ActionIcon>
      </Group>
      <Body item={item} />
    </article>
  );
}

function Body({ item }: { item: UploadItem }) {
  switch (item.state) {
    case "sending":
    case "checking":
      return <UploadProgress item={item} />;
    case "done":
      return <UploadDone item={item} />;
    case "failed":
      return (
        <Stack>
          <UploadRefusal error={item.error} file={item.file.name} />
          <UploadForm item={item} />
        </Stack>
      );
    default:
      return <UploadForm item={item} />;
  }
}
