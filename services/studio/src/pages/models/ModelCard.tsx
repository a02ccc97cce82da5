import { Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Model } from "../../api/client";
import { useFormat } from "../../lib/format";
import { baseOf, isTuned } from "../../lib/models";
import { Labels } from "../../ui/Labels";
import { KindBadge } from "./KindBadge";
import classes from "./ModelsPage.module.css";

/** A model by its newest version; the whole card leads to it. */
export function ModelCard({ model }: { model: Model }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const { latest } = model;
  const base = baseOf(latest);
  return (
    <article className={`k-card k-lift ${classes.card}`}>
      <Group justify="space-between" align="flex-start" wrap="nowrap" gap="sm">
        <Link to={`/models/${model.name}`} className={`k-name ${classes.name}`}>
          <bdi>{model.name}</bdi>
        </Link>
        <KindBadge kind={latest.facts.kind} />
      </Group>
      <Text size="sm" c="dimmed" mt={2}>
        {isTuned(latest) && base !== null && (
          <>
            {t("upon")} <bdi>{base}</bdi> ·{" "}
          </>
        )}
        {t("common:version.number", { number: format.number(latest.version) })} ·{" "}
        <span title={format.dateTime(latest.createdAt)}>{format.ago(latest.createdAt)}</span>
      </Text>
      <Figures model={model} />
      <Labels aliases={latest.aliases ?? []} tags={latest.tags ?? []} />
    </article>
  );
}

function Figures({ model: { latest } }: { model: Model }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const { parameters, license } = latest.facts;
  return (
    <dl className={`${classes.figures} k-numbers`}>
      {parameters != null && (
        <div>
          <dt>{t("facts.parameters")}</dt>
          <dd>{format.compact(parameters)}</dd>
        </div>
      )}
      <div>
        <dt>{t("facts.size")}</dt>
        <dd>{format.bytes(latest.sizeBytes)}</dd>
      </div>
      {license && (
        <div>
          <dt>{t("facts.license")}</dt>
          <dd>
            <bdi>{license}</bdi>
          </dd>
        </div>
      )}
    </dl>
  );
}
