import { useTranslation } from "react-i18next";
import type { DatasetVersion } from "../../api/client";
import { useFormat } from "../../lib/format";
import { SPLITS } from "../../lib/formats";
import { Figures } from "../../ui/Figures";

export function Facts({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const { rows, sizeBytes, fields, rowBytes = {}, splits = {} } = version.stats;
  const names = SPLITS.filter((name) => name in splits);
  return (
    <Figures
      figures={[
        [t("facts.rows"), format.number(rows)],
        [t("facts.size"), format.bytes(sizeBytes)],
        [t("facts.fields"), format.number(fields.length)],
        [t("facts.rowSize"), rowBytes.mean !== undefined && format.bytes(Math.round(rowBytes.mean))],
        [t("facts.splits"), names.map((name) => t(`splits.${name}`, name)).join(t("and"))],
      ]}
    />
  );
}
