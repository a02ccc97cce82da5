import { IconAt, IconTag } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import classes from "./Labels.module.css";

/** The aliases that point to a version, and the tags put on it. */
export function Labels({ aliases, tags }: { aliases: string[]; tags: string[] }) {
  const { t } = useTranslation("models");
  if (aliases.length + tags.length === 0) return null;
  return (
    <ul className={`k-list ${classes.labels}`} aria-label={t("labels")}>
      {aliases.map((alias) => (
        <li key={`@${alias}`} data-alias>
          <IconAt size={13} aria-hidden />
          <bdi>{alias}</bdi>
        </li>
      ))}
      {tags.map((tag) => (
        <li key={tag}>
          <IconTag size={13} aria-hidden />
          <bdi>{tag}</bdi>
        </li>
      ))}
    </ul>
  );
}
