// A row as the model reads it: what it learns is marked, what is cut off struck out.
import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { useFormat } from "../lib/format";
import classes from "./MaskView.module.css";

export function MaskView({ row }: { row: Schemas["TokenizedRow"] }) {
  const { t } = useTranslation("new");
  const format = useFormat();
  let end = 0;
  return (
    <div>
      <Text size="xs" c="dimmed" className="k-numbers">
        {t("preview.row", {
          row: format.number(row.row + 1),
          tokens: format.number(row.tokens),
          trained: format.number(row.trainedTokens),
        })}
        {row.cutTokens > 0 && ` · ${t("preview.cut", { tokens: format.number(row.cutTokens) })}`}
      </Text>
      <p className={`k-plain ${classes.text}`}>
        {row.spans.map(({ text, state }) => {
          end += text.length;
          if (state === "trained") return <mark key={end}>{text}</mark>;
          if (state === "cut") return <s key={end}>{text}</s>;
          return (
            <span key={end} className={classes.read}>
              {text}
            </span>
          );
        })}
      </p>
      {row.label != null && (
        <Text size="sm" fw={600}>
          {t("preview.answer")} <bdi>{row.label}</bdi>
        </Text>
      )}
    </div>
  );
}
