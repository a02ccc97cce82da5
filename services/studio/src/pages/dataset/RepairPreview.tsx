import { Stack, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { RepairReport } from "../../api/datasets";
import { useFormat } from "../../lib/format";
import { type Part, wordDiff } from "../../lib/wordDiff";
import classes from "./DatasetPage.module.css";

/** What a repair would do: how much, and some texts before and after. */
export function RepairPreview({ report }: { report: RepairReport }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const counts = Object.entries(report.counts).filter(([, count]) => count > 0);
  return (
    <Stack gap="sm">
      <Text className="k-numbers">
        {t("repair.sum", {
          changed: format.number(report.rowsChanged),
          dropped: format.number(report.rowsDropped),
          rows: format.number(report.rows),
        })}
        {report.rowsUnfit > 0 && ` ${t("repair.unfit", { rows: format.number(report.rowsUnfit) })}`}
      </Text>
      {counts.length > 0 && (
        <Table className="k-numbers" withRowBorders={false} w="auto">
          <Table.Tbody>
            {counts.map(([fix, count]) => (
              <Table.Tr key={fix}>
                <Table.Th scope="row">{t(`fixes.${fix}`, fix)}</Table.Th>
                <Table.Td>{format.number(count)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {report.samples.map((sample) => (
        <Sample key={`${sample.row} ${sample.field} ${sample.before}`} sample={sample} />
      ))}
    </Stack>
  );
}

function Sample({ sample: { row, field, before, after } }: { sample: RepairReport["samples"][number] }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const [old, mended] = wordDiff(before, after ?? before);
  return (
    <div>
      <Text size="xs" c="dimmed" mb={4} className="k-numbers">
        {t("rows.number", { number: format.number(row) })} <bdi className="k-mono">{field}</bdi>
      </Text>
      <p className={`k-plain ${classes.before}`}>
        <span className="k-skip">{t("repair.before")}</span>
        <Marked parts={old} />
      </p>
      <p className={`k-plain ${classes.after}`} style={{ marginBlockStart: 4 }}>
        <span className="k-skip">{t("repair.after")}</span>
        {after === null ? <i>{t("repair.dropped")}</i> : <Marked parts={mended} />}
      </p>
    </div>
  );
}

function Marked({ parts }: { parts: Part[] }) {
  let end = 0;
  return parts.map(({ text, changed }) => {
    end += text.length;
    return changed ? <mark key={end}>{text}</mark> : text;
  });
}
