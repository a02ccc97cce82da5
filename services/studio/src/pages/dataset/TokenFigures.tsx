import { Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/client";
import type { Tokens } from "../../api/datasets";
import { type Format, useFormat } from "../../lib/format";
import { Histogram } from "../../ui/Histogram";
import classes from "./DatasetPage.module.css";
import { Block } from "./StatisticsTab";

type Figures = Schemas["TokenFigures"];

/** Figures over many rows: lengths, what is learned and what is lost, and how the tokenizer takes Persian. */
export function TokenFigures({ told, figures }: { told: Tokens; figures: Figures }) {
  const { t } = useTranslation("tokens");
  const format = useFormat();
  const { rows, rowsInVersion, lengths } = figures;
  const counted = { rows: format.number(rows), all: format.number(rowsInVersion) };
  return (
    <div className={classes.panels}>
      <Block title={t("lengths")} text={t(rows === rowsInVersion ? "overAll" : "overSome", counted)} wide>
        <Histogram buckets={lengths.histogram} length={told.length} label={t("lengths")} />
        {figures.cutRows > 0 && (
          <Text size="sm" c="var(--k-bad)" mt="xs">
            {t("cutRows", { rows: format.number(figures.cutRows), length: format.number(told.length) })}
          </Text>
        )}
      </Block>
      <Block title={t("sums")}>
        <Lines lines={sumsOf(figures, format)} group="sum" />
      </Block>
      <Block title={t("persian")} text={t("persianText")}>
        {figures.persian.words === 0 ? (
          <Text c="dimmed">{t("noPersian")}</Text>
        ) : (
          <Lines lines={persianOf(figures, format)} group="persianSum" />
        )}
      </Block>
    </div>
  );
}

type Line = [string, string];

function sumsOf(figures: Figures, format: Format): Line[] {
  const { lengths, tokens, trainedTokens } = figures;
  const share = tokens === 0 ? "" : ` (${format.percent((100 * trainedTokens) / tokens, 1)})`;
  return [
    ["tokens", format.number(tokens)],
    ["trained", `${format.number(trainedTokens)}${share}`],
    ["cut", format.number(figures.cutTokens)],
    ["cutTrained", format.number(figures.cutTrainedTokens)],
    ["untrained", format.number(figures.untrainedRows)],
    ["mean", format.number(lengths.mean, 1)],
    ["p50", format.number(lengths.p50)],
    ["p95", format.number(lengths.p95)],
    ["max", format.number(lengths.max)],
  ];
}

function persianOf({ persian }: Figures, format: Format): Line[] {
  const lines: [string, number | null, (value: number) => string][] = [
    ["words", persian.words, (value) => format.number(value)],
    ["perWord", persian.tokensPerWord, (value) => format.number(value)],
    ["perLetter", persian.tokensPerLetter, (value) => format.number(value)],
    ["unknown", persian.unknownRate, (value) => format.percent(100 * value, 2)],
  ];
  return lines.flatMap(([name, value, shown]): Line[] => (value === null ? [] : [[name, shown(value)]]));
}

function Lines({ lines, group }: { lines: Line[]; group: string }) {
  const { t } = useTranslation("tokens");
  return (
    <Table className="k-numbers" withRowBorders={false}>
      <Table.Tbody>
        {lines.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" fw={400}>
              {t(`${group}.${name}`)}
            </Table.Th>
            <Table.Td fw={600}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
