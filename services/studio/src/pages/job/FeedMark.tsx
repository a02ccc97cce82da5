import { useTranslation } from "react-i18next";
import type { FeedState } from "../../api/feed";
import classes from "./JobPage.module.css";

/** Whether what is shown is of this moment. */
export function FeedMark({ state }: { state: FeedState }) {
  const { t } = useTranslation("common");
  if (state === "ended" || state === "connecting") return null;
  return (
    <span className={classes.feed} data-state={state} role="status">
      <i aria-hidden /> {t(`live.${state}`)}
    </span>
  );
}
