import { useTranslation } from "react-i18next";
import type { DatasetVersion } from "../../api/client";
import { useFormat } from "../../lib/format";
import { SPLITS } from "../../lib/formats";
import classes from "./DatasetPage.module.css";

export function Facts({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const { rows, sizeBytes, fields, rowBytes = {}, splits = {} } = version.stats;
  const names = SPLITS.filter((name) => name in splits);
  const facts: [string, string | null][] = [
    ["rows", format.number(rows)],
    ["size", format.bytes(sizeBytes)],
    ["fields", format.number(fields.length)],
    ["rowSize", rowBytes.mean === undefined ? null : format.bytes(Math.round(rowBytes.mean))],
    ["splits", names.length === 0 ? null : names.map((name) => t(`splits.${name}`, name)).join(t("and"))],
  ];
  return (
    <dl className={`${classes.facts} k-numbers`}>
      {facts.map(
        ([name, value]) =>
          value !== null && (
            <div key={name} className={`k-card ${classes.fact}`}>
              <dt>{t(`facts.${name}`)}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
