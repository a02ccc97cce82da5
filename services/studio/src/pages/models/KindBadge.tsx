import { useTranslation } from "react-i18next";
import classes from "./ModelsPage.module.css";

/** What kind of model it is; one that is not known by name here is told as the API tells it. */
export function KindBadge({ kind }: { kind: string }) {
  const { t } = useTranslation("models");
  return (
    <span className={classes.kind} data-kind={kind}>
      {t(`kinds.${kind}`, kind)}
    </span>
  );
}
