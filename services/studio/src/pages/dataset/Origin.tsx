// Where a version comes from: a file, another version and what was mended in it, or how it was divided.
import { Anchor, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { DatasetVersion } from "../../api/client";
import { useFormat } from "../../lib/format";

export function Origin({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const { lineage, splits, dataset, sourceFilename } = version;
  const from = lineage?.version;
  const repairs = lineage?.repairs ?? [];
  return (
    <Text size="sm" c="dimmed" className="k-numbers">
      {from == null ? (
        <>
          {t("origin.file")} <bdi>{sourceFilename}</bdi>
        </>
      ) : (
        <>
          {t("origin.made")}{" "}
          <Anchor component={Link} to={`/datasets/${dataset}?version=${from}`} size="sm" underline="always">
            {t("common:version.number", { number: format.number(from) })}
          </Anchor>
          {repairs.length > 0 && (
            <>
              {t("origin.by")} {repairs.map((fix) => t(`fixes.${fix}`, fix)).join(t("and"))} (
              {t("origin.counts", {
                changed: format.number(lineage?.rowsChanged ?? 0),
                dropped: format.number(lineage?.rowsDropped ?? 0),
              })}
              )
            </>
          )}
        </>
      )}
      {lineage?.importedFrom && <ImportedFrom told={lineage.importedFrom} />}
      {splits && (
        <>
          {" · "}
          {t(`origin.split.${splits.kind}`, {
            seed: format.number(splits.seed ?? 0),
            column: splits.column ?? "",
          })}
        </>
      )}
    </Text>
  );
}

/** What a bundle or an import said of the rows, where it is a plain word or number. */
function ImportedFrom({ told }: { told: Record<string, unknown> }) {
  const plain = Object.entries(told).filter(([, value]) => typeof value === "string" || typeof value === "number");
  return plain.map(([name, value]) => (
    <span key={name}>
      {" · "}
      <bdi className="k-mono" style={{ overflowWrap: "anywhere" }}>
        {name}: {String(value)}
      </bdi>
    </span>
  ));
}
