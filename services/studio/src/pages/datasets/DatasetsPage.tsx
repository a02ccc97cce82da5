// All datasets, and the ways to get more of them.
import "@mantine/dropzone/styles.css";
import { Stack, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconDatabase, IconPackageImport, IconSearch, IconUpload } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { datasetPages } from "../../api/datasets";
import { addUploads } from "../../api/uploads";
import { ChangeButton } from "../../ui/Changing";
import { MorePages } from "../../ui/MorePages";
import { PageHead } from "../../ui/PageHead";
import { Bones, Empty, Failed } from "../../ui/states";
import { DatasetCard } from "./DatasetCard";
import classes from "./DatasetsPage.module.css";
import { DropArea } from "./DropArea";
import { ImportDialog } from "./ImportDialog";
import { UploadList } from "./UploadList";

export default function DatasetsPage() {
  const { t } = useTranslation("datasets");
  const [address] = useSearchParams();
  const [importing, { open, close }] = useDisclosure();
  const choose = useRef<() => void>(null);
  const add = (files: File[]) => addUploads(files, address.get("upload") ?? undefined);
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        <ChangeButton variant="default" leftSection={<IconPackageImport size={17} aria-hidden />} onClick={open}>
          {t("import.open")}
        </ChangeButton>
        <ChangeButton leftSection={<IconUpload size={17} aria-hidden />} onClick={() => choose.current?.()}>
          {t("upload.choose")}
        </ChangeButton>
      </PageHead>
      <Stack gap="lg">
        <DropArea openRef={choose} onFiles={add} into={address.get("upload")} />
        <UploadList />
        <DatasetList onUpload={() => choose.current?.()} onImport={open} />
      </Stack>
      <ImportDialog opened={importing} onClose={close} />
    </>
  );
}

interface ListProps {
  onUpload: () => void;
  onImport: () => void;
}

function DatasetList({ onUpload, onImport }: ListProps) {
  const { t } = useTranslation("datasets");
  const [typed, setTyped] = useState("");
  const [search] = useDebouncedValue(typed.trim(), 250);
  const found = useInfiniteQuery(datasetPages(search));
  const { data, error, isPending, refetch } = found;
  if (isPending) return <Bones lines={3} height={130} />;
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  const datasets = data?.pages.flatMap((page) => page.items) ?? [];
  if (datasets.length === 0 && search === "" && typed === "") return <NoDatasets {...{ onUpload, onImport }} />;
  return (
    <Stack component="section" aria-label={t("title")}>
      <search>
        <TextInput
          className={classes.search}
          aria-label={t("search")}
          placeholder={t("search")}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </search>
      {datasets.length === 0 && (
        <Empty title={t("noMatch")} text={t("noMatchText")} icon={<IconSearch size={44} stroke={1.2} />} />
      )}
      <ul className={`k-list ${classes.grid}`}>
        {datasets.map((dataset) => (
          <li key={dataset.id}>
            <DatasetCard dataset={dataset} />
          </li>
        ))}
      </ul>
      <MorePages of={found} />
    </Stack>
  );
}

function NoDatasets({ onUpload, onImport }: ListProps) {
  const { t } = useTranslation("datasets");
  return (
    <Empty title={t("empty.title")} text={t("empty.text")} icon={<IconDatabase size={52} stroke={1.2} />}>
      <ChangeButton onClick={onUpload}>{t("upload.choose")}</ChangeButton>
      <ChangeButton variant="subtle" onClick={onImport}>
        {t("empty.import")}
      </ChangeButton>
    </Empty>
  );
}
