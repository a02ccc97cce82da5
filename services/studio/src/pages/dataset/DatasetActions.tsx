// What can be done with a version.
import { Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconArrowsSplit2, IconDownload, IconFlask, IconTrash, IconUpload } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import type { DatasetVersion } from "../../api/client";
import { saveContent } from "../../api/content";
import { versionPages } from "../../api/datasets";
import { trainPath } from "../../lib/paths";
import { ChangeButton, ChangeItem } from "../../ui/Changing";
import { MoreMenu } from "../../ui/MoreMenu";
import { DeleteDialog } from "../datasets/DeleteDialog";
import { SplitDialog } from "./SplitDialog";

export function DatasetActions({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation(["dataset", "datasets"]);
  const navigate = useNavigate();
  const [splitting, split] = useDisclosure();
  const [removing, remove] = useDisclosure();
  const [removingAll, removeAll] = useDisclosure();
  const download = useMutation({ mutationFn: () => saveContent(version) });
  const name = version.dataset;
  const { data } = useInfiniteQuery(versionPages(name));
  const versions = data?.pages[0]?.items ?? [];
  const newest = versions[0]?.version;
  return (
    <>
      <ChangeButton to={trainPath(name)} leftSection={<IconFlask size={17} aria-hidden />}>
        {t(newest === undefined || newest === version.version ? "datasets:train" : "actions.trainLatest")}
      </ChangeButton>
      <MoreMenu label={t("datasets:actions", { name })} busy={download.isPending}>
        <Menu.Item leftSection={<IconDownload size={16} aria-hidden />} onClick={() => download.mutate()}>
          {t("actions.download")}
        </Menu.Item>
        <ChangeItem leftSection={<IconArrowsSplit2 size={16} aria-hidden />} onClick={split.open}>
          {t("actions.split")}
        </ChangeItem>
        <ChangeItem
          to={`/datasets?upload=${encodeURIComponent(name)}`}
          leftSection={<IconUpload size={16} aria-hidden />}
        >
          {t("actions.next")}
        </ChangeItem>
        <Menu.Divider />
        {versions.length > 1 && (
          <ChangeItem c="var(--k-bad)" leftSection={<IconTrash size={16} aria-hidden />} onClick={remove.open}>
            {t("actions.deleteVersion")}
          </ChangeItem>
        )}
        <ChangeItem c="var(--k-bad)" leftSection={<IconTrash size={16} aria-hidden />} onClick={removeAll.open}>
          {t("actions.deleteAll")}
        </ChangeItem>
      </MoreMenu>
      <SplitDialog version={version} opened={splitting} onClose={split.close} />
      <DeleteDialog
        name={name}
        version={version.version}
        opened={removing}
        onClose={remove.close}
        onDone={() => void navigate(`/datasets/${name}`)}
      />
      <DeleteDialog
        name={name}
        opened={removingAll}
        onClose={removeAll.close}
        onDone={() => void navigate("/datasets")}
      />
    </>
  );
}
