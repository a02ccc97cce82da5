import { Anchor } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { ModelVersion } from "../../api/client";
import { useFormat } from "../../lib/format";
import { baseOf } from "../../lib/models";
import { Figures } from "../../ui/Figures";

/** What was read from the files; what they do not tell is not shown. */
export function Facts({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const { facts, sizeBytes } = version;
  return (
    <Figures
      texts
      figures={[
        [t("facts.parameters"), facts.parameters != null && format.compact(facts.parameters)],
        [t("facts.size"), format.bytes(sizeBytes)],
        [
          t("facts.architecture"),
          (facts.architectures ?? []).length > 0 && <Name text={(facts.architectures ?? []).join(", ")} />,
        ],
        [
          t("facts.contextLength"),
          facts.contextLength != null && t("facts.tokens", { tokens: format.number(facts.contextLength) }),
        ],
        [t("facts.template"), t(facts.hasChatTemplate ? "facts.yes" : "facts.no")],
        [t("facts.license"), facts.license && <Name text={facts.license} />],
        [t("facts.base"), baseOf(version) && <Base version={version} />],
        [t("facts.source"), <Source key="source" source={version.source} />],
      ]}
    />
  );
}

function Name({ text }: { text: string }) {
  return <bdi dir="ltr">{text}</bdi>;
}

function Base({ version }: { version: ModelVersion }) {
  const base = baseOf(version) ?? "";
  const at = version.lineage?.base_version;
  return (
    <Anchor component={Link} to={`/models/${base}${typeof at === "number" ? `?version=${at}` : ""}`} inherit>
      <Name text={typeof at === "number" ? `${base}@${at}` : base} />
    </Anchor>
  );
}

/** A job is a link; a package or a hub's repository is told as it is. */
export function Source({ source }: { source: string }) {
  const { t } = useTranslation("models");
  const job = /^job:(job_\w+)$/.exec(source)?.[1];
  if (job === undefined) return <Name text={source} />;
  return (
    <Anchor component={Link} to={`/jobs/${job}`} inherit>
      {t("facts.job")}
    </Anchor>
  );
}
