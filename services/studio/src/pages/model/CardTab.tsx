import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { ModelVersion } from "../../api/client";
import { cardQuery } from "../../api/models";
import { Markdown } from "../../ui/Markdown";
import { Bones, Empty, Failed } from "../../ui/states";
import classes from "./ModelPage.module.css";

/** The README among the files: what whoever made the model says about it. */
export function CardTab({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  const there = version.files.some((file) => file.path === "README.md");
  const { data, error, refetch } = useQuery({ ...cardQuery(version), enabled: there });
  if (!there) return <Empty title={t("card.none")} text={t("card.noneText")} />;
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones lines={4} height={60} />;
  return (
    <article className={`k-card ${classes.card}`} aria-label={t("tabs.card")}>
      <Markdown text={data} top={2} />
    </article>
  );
}
