// What a chosen file is to be called, and how it is to be read where that is not plain.
import { Button, Collapse, Group, Select, Stack, Text, TextInput, UnstyledButton } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconAdjustments } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { useTranslation } from "react-i18next";
import { latestQuery } from "../../api/datasets";
import { beginUpload, changeUpload, type UploadItem } from "../../api/uploads";
import { isDatasetName } from "../../lib/datasetNames";
import { useFormat } from "../../lib/format";
import { FORMATS } from "../../lib/formats";
import { ColumnMapping } from "./ColumnMapping";

export function UploadForm({ item }: { item: UploadItem }) {
  const { t } = useTranslation("datasets");
  const client = useQueryClient();
  const [opened, { toggle }] = useDisclosure(item.format !== null || item.map !== null);
  const valid = isDatasetName(item.name);
  const wrong = item.name !== "" && !valid; // said once: the error tells what the description would
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!valid) return;
    void beginUpload(item.id, () => {
      void client.invalidateQueries({ queryKey: ["datasets"] });
      void client.invalidateQueries({ queryKey: ["dataset"] });
    });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          label={t("upload.name")}
          description={wrong ? undefined : <NextVersion name={valid ? item.name : ""} />}
          inputWrapperOrder={["label", "input", "description", "error"]}
          error={wrong ? t("upload.badName") : undefined}
          placeholder={t("upload.namePlaceholder")}
          dir="ltr"
          maw={420}
          required
          autoComplete="off"
          spellCheck={false}
          value={item.name}
          onChange={(event) => changeUpload(item.id, { name: event.currentTarget.value.trim() })}
        />
        <Collapse expanded={opened}>
          <Stack gap="sm">
            <Select
              label={t("upload.format")}
              placeholder={t("upload.formatAuto")}
              clearable
              searchable
              maw={420}
              data={FORMATS.map((value) => ({ value, label: t(`formats.${value}`) }))}
              value={item.format}
              onChange={(format) => changeUpload(item.id, { format })}
            />
            {opened && (
              <ColumnMapping file={item.file} format={item.format} onChange={(map) => changeUpload(item.id, { map })} />
            )}
          </Stack>
        </Collapse>
        <Group justify="space-between">
          <UnstyledButton onClick={toggle} aria-expanded={opened}>
            <Group gap={6}>
              <IconAdjustments size={17} color="var(--k-accent)" aria-hidden />
              <Text size="sm" c="var(--k-accent)">
                {t("upload.options")}
              </Text>
            </Group>
          </UnstyledButton>
          <Button type="submit" disabled={!valid}>
            {t(item.state === "failed" ? "common:again" : "upload.start")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Whether a new dataset comes of it, or the next version of one that is there. */
function NextVersion({ name }: { name: string }) {
  const { t } = useTranslation("datasets");
  const format = useFormat();
  const [asked] = useDebouncedValue(name, 300);
  const { data } = useQuery(latestQuery(asked));
  if (asked === "" || data === undefined) return t("upload.nameText");
  if (data === null) return t("upload.fresh");
  return t("upload.next", { name: asked, version: format.number(data.version) });
}
