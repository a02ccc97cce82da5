import { Code, Table, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { DatasetVersion } from "../../api/client";
import { useFormat } from "../../lib/format";
import { SPLITS } from "../../lib/formats";
import { Bars } from "../../ui/Bars";
import classes from "./DatasetPage.module.css";

const MOST_LABELS = 30;

export function StatisticsTab({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation(["dataset", "datasets"]);
  const { scripts = {}, labels = {}, splits = {}, rows } = version.stats;
  const divided = SPLITS.flatMap((name): [string, number][] => (splits[name] ? [[name, splits[name].rows]] : []));
  return (
    <div className={classes.panels}>
      {Object.keys(scripts).length > 0 && (
        <Block title={t("stats.scripts")} text={t("stats.scriptsText")}>
          <Bars counts={sorted(scripts)} nameOf={(name) => t(`datasets:scripts.${name}`, name)} />
        </Block>
      )}
      {divided.length > 0 && (
        <Block title={t("stats.splits")} text={t("stats.splitsText")}>
          <Bars counts={divided} nameOf={(name) => t(`splits.${name}`, name)} whole={rows} />
        </Block>
      )}
      {Object.keys(labels).length > 0 && (
        <Block title={t("stats.labels")}>
          <Bars counts={sorted(labels).slice(0, MOST_LABELS)} whole={rows} />
        </Block>
      )}
      <RowSizes version={version} />
      <Fields version={version} />
    </div>
  );
}

function sorted(counts: Record<string, number>): [string, number][] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, one], [, other]) => other - one);
}

interface BlockProps {
  title: string;
  text?: string;
  wide?: boolean;
  children: ReactNode;
}

export function Block({ title, text, wide = false, children }: BlockProps) {
  return (
    <section className={`k-card ${classes.block} ${wide ? classes.wide : ""}`}>
      <Title order={2} size="h4">
        {title}
      </Title>
      {text && (
        <Text size="sm" c="dimmed">
          {text}
        </Text>
      )}
      <div style={{ marginBlockStart: "0.9rem" }}>{children}</div>
    </section>
  );
}

function RowSizes({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const { rowBytes = {} } = version.stats;
  if (rowBytes.mean === undefined) return null;
  return (
    <Block title={t("stats.rowBytes")} text={t("stats.rowBytesText")}>
      <Table className="k-numbers" withRowBorders={false}>
        <Table.Tbody>
          {(["min", "mean", "max"] as const).map((name) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">{t(`stats.${name}`)}</Table.Th>
              <Table.Td>{format.bytes(Math.round(rowBytes[name] ?? 0))}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Block>
  );
}

/** Lengths are of texts in characters; of lists how many things are in them. */
function Fields({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const { fields, fieldStats = {} } = version.stats;
  const cell = (value: number | undefined) => (value === undefined ? "—" : format.number(value, 1));
  return (
    <Block title={t("stats.fields")} text={t("stats.fieldsText")} wide>
      <Table.ScrollContainer minWidth={560} scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}>
        <Table verticalSpacing="xs" className="k-numbers">
          <Table.Thead>
            <Table.Tr>
              {["field", "count", "empty", "min", "mean", "max"].map((name) => (
                <Table.Th key={name}>{t(`stats.${name}`)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {fields.map((name) => {
              const told = fieldStats[name] ?? {};
              return (
                <Table.Tr key={name}>
                  <Table.Th scope="row" fw={500}>
                    <Code>
                      <bdi>{name}</bdi>
                    </Code>
                  </Table.Th>
                  <Table.Td>{cell(told.count)}</Table.Td>
                  <Table.Td>{cell(told.empty)}</Table.Td>
                  <Table.Td>{cell(told.minLength ?? told.minItems)}</Table.Td>
                  <Table.Td>{cell(told.meanLength ?? told.meanItems)}</Table.Td>
                  <Table.Td>{cell(told.maxLength ?? told.maxItems)}</Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Block>
  );
}
