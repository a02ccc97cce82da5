import { Group, Text, UnstyledButton } from "@mantine/core";
import { IconDownload, IconHeart, IconLock } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import type { HubSummary } from "../../api/hub";
import { useFormat } from "../../lib/format";
import classes from "./HubPage.module.css";

interface Props {
  found: Schemas["HubSearch"];
  onChoose: (id: string) => void;
}

export function Results({ found, onChoose }: Props) {
  const { t } = useTranslation("hub");
  const format = useFormat();
  return (
    <section aria-label={t("results")}>
      <Text size="sm" c="dimmed" mb="sm" style={{ overflowWrap: "anywhere" }}>
        {t("found", { number: format.number(found.items.length) })} <bdi dir="ltr">{found.endpoint}</bdi>
      </Text>
      <ul className={`k-list ${classes.list}`}>
        {found.items.map((item) => (
          <li key={item.id}>
            <One item={item} onChoose={() => onChoose(item.id)} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function One({ item, onChoose }: { item: HubSummary; onChoose: () => void }) {
  const { t } = useTranslation("hub");
  const format = useFormat();
  const { id, task, license, downloads, likes, gated, updatedAt } = item;
  return (
    <UnstyledButton className={`k-card k-lift ${classes.result}`} onClick={onChoose}>
      <Group justify="space-between" gap="xs">
        <Text component="span" fw={650} className={classes.id}>
          <bdi dir="ltr">{id}</bdi>
        </Text>
        <Group component="span" gap="md" className={`k-numbers ${classes.counts}`}>
          {downloads != null && (
            <span title={t("downloads")}>
              <IconDownload size={15} aria-hidden /> {format.compact(downloads)}
              <span className="k-skip">{t("downloads")}</span>
            </span>
          )}
          {likes != null && (
            <span title={t("likes")}>
              <IconHeart size={15} aria-hidden /> {format.compact(likes)}
              <span className="k-skip">{t("likes")}</span>
            </span>
          )}
        </Group>
      </Group>
      <Text component="span" size="sm" c="dimmed" className={classes.line}>
        {gated && (
          <span>
            <IconLock size={14} aria-hidden /> {t("gated")}
          </span>
        )}
        {task && <bdi dir="ltr">{task}</bdi>}
        {license && <bdi dir="ltr">{license}</bdi>}
        {updatedAt && <span>{format.ago(updatedAt)}</span>}
      </Text>
    </UnstyledButton>
  );
}
