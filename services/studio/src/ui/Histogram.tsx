// How many rows are how long. From left to right, as all charts.
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { useFormat } from "../lib/format";
import classes from "./Histogram.module.css";

interface Props {
  buckets: Schemas["LengthBucket"][];
  /** Rows that are longer are cut. */
  length: number;
  label: string;
}

export function Histogram({ buckets, length, label }: Props) {
  const { t } = useTranslation("tokens");
  const format = useFormat();
  const most = Math.max(1, ...buckets.map(({ rows }) => rows));
  return (
    <ol className={`k-list k-numbers ${classes.chart}`} dir="ltr" aria-label={label}>
      {buckets.map(({ least, most: upTo, rows }) => (
        <li
          key={least}
          data-over={least > length || undefined}
          title={t("bucket", { least: format.number(least), most: format.number(upTo), rows: format.number(rows) })}
        >
          <span className={classes.count}>{rows > 0 ? format.compact(rows) : ""}</span>
          <span className={classes.bar} style={{ height: `${(rows / most) * 80}%` }} aria-hidden />
          <span className={classes.label}>≤ {format.compact(upTo)}</span>
        </li>
      ))}
    </ol>
  );
}
