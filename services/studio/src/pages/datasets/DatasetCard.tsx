import { Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconFlask, IconTrash } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Dataset } from "../../api/client";
import { useFormat } from "../../lib/format";
import { SCRIPTS } from "../../lib/formats";
import { trainPath } from "../../lib/paths";
import { ChangeItem } from "../../ui/Changing";
import { Chip } from "../../ui/Chip";
import { MoreMenu } from "../../ui/MoreMenu";
import { ShareBar } from "../../ui/ShareBar";
import classes from "./DatasetsPage.module.css";
import { DeleteDialog } from "./DeleteDialog";

export function DatasetCard({ dataset }: { dataset: Dataset }) {
  const { t } = useTranslation("datasets");
  const format = useFormat();
  const { stats, warnings = [], version, createdAt, format: shape } = dataset.latest;
  const places = warnings.reduce((sum, one) => sum + (one.count ?? 1), 0);
  const figures: [string, string][] = [
    ["rows", format.number(stats.rows)],
    ["size", format.bytes(stats.sizeBytes)],
    ["version", format.number(version)],
  ];
  return (
    <article className={`k-card k-lift ${classes.card}`}>
      <Group justify="space-between" align="flex-start" wrap="nowrap">
        <Stack gap={2} style={{ minWidth: 0 }}>
          <Text component={Link} to={`/datasets/${dataset.name}`} fw={650} size="lg" className="k-name">
            <bdi>{dataset.name}</bdi>
          </Text>
          <Text size="sm" c="dimmed">
            {t(`formats.${shape}`, shape)}
          </Text>
        </Stack>
        <CardMenu dataset={dataset} />
      </Group>
      <dl className={`${classes.figures} k-numbers`}>
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{t(`facts.${name}`)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <ShareBar
        shares={stats.scripts ?? {}}
        nameOf={(name) => t(`scripts.${name}`, name)}
        label={t("facts.scripts")}
        order={SCRIPTS}
      />
      <Group justify="space-between" className={classes.foot} gap="xs">
        {warnings.length > 0 ? (
          <Chip tone="warn">{t("warnings", { count: places, places: format.number(places) })}</Chip>
        ) : (
          <Chip tone="good">{t("noWarnings")}</Chip>
        )}
        <Text size="sm" c="dimmed" title={format.dateTime(createdAt)}>
          {format.ago(createdAt)}
        </Text>
      </Group>
    </article>
  );
}

function CardMenu({ dataset }: { dataset: Dataset }) {
  const { t } = useTranslation("datasets");
  const [asking, { open, close }] = useDisclosure();
  return (
    <>
      <MoreMenu label={t("actions", { name: dataset.name })} quiet>
        <ChangeItem to={trainPath(dataset.name)} leftSection={<IconFlask size={16} aria-hidden />}>
          {t("train")}
        </ChangeItem>
        <ChangeItem c="var(--k-bad)" leftSection={<IconTrash size={16} aria-hidden />} onClick={open}>
          {t("delete.open")}
        </ChangeItem>
      </MoreMenu>
      <DeleteDialog name={dataset.name} opened={asking} onClose={close} />
    </>
  );
}
