// What a version is, how well it learned, where it comes from, and how others load it.
import { Anchor, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { ModelVersion } from "../../api/client";
import { statusQuery } from "../../api/platform";
import { type Format, useFormat } from "../../lib/format";
import { asFigures, loadingOf, type Measured, measuresOf, number } from "../../lib/models";
import { CommandBox } from "../../ui/CommandBox";
import { Facts } from "./Facts";
import { LineageMap } from "./LineageMap";
import classes from "./ModelPage.module.css";

export function OverviewTab({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  return (
    <Stack gap="xl">
      <Facts version={version} />
      <Results version={version} />
      <Part title={t("lineage.title")}>
        <LineageMap version={version} />
      </Part>
      <Loading version={version} />
    </Stack>
  );
}

function Part({ title, text, children }: { title: string; text?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <Title order={2} size="h4" mb={4}>
        {title}
      </Title>
      {text && (
        <Text size="sm" c="dimmed" mb="sm">
          {text}
        </Text>
      )}
      {children}
    </section>
  );
}

/** Nothing for what was not trained here. */
function Results({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const measures = measuresOf(version);
  if (measures.length === 0) return null;
  return (
    <Part title={t("results.title")} text={<Training version={version} />}>
      <div className="k-card">
        <Table.ScrollContainer minWidth={310} type="native" tabIndex={0}>
          <Table layout="auto" verticalSpacing="sm" horizontalSpacing="md" className="k-numbers">
            <Table.Thead>
              <Table.Tr>
                {["measure", "before", "after", "change"].map((name) => (
                  <Table.Th key={name}>{t(`results.${name}`)}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {measures.map((measured) => (
                <Table.Tr key={measured.name}>
                  <Table.Th scope="row" fw={400}>
                    {t(`common:metrics.${measured.name}`, measured.name)}
                  </Table.Th>
                  <Table.Td>{shown(format, measured.name, measured.before)}</Table.Td>
                  <Table.Td fw={650}>{shown(format, measured.name, measured.after)}</Table.Td>
                  <Table.Td>
                    <Change measured={measured} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </div>
    </Part>
  );
}

function shown(format: Format, name: string, value: number | null): string {
  if (value === null) return "–";
  return isShare(name) ? format.percent(value * 100, 1) : format.figure(value);
}

/** Larger is better for these, and they are shares of 1; smaller is better for losses. */
function isShare(name: string): boolean {
  return /accuracy|f1/.test(name);
}

function Change({ measured: { name, before, after } }: { measured: Measured }) {
  const format = useFormat();
  if (before === null || after === null || before === 0) return "–";
  const change = ((after - before) / Math.abs(before)) * 100;
  const better = isShare(name) ? change > 0 : change < 0;
  return (
    <span className={classes.change} data-better={better || undefined}>
      {change > 0 ? "▲" : "▼"} {format.percent(Math.abs(change), 1)}
    </span>
  );
}

function Training({ version: { lineage } }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const metrics = asFigures(lineage?.metrics);
  const [steps, tokens, seconds] = ["steps", "tokens", "training_seconds"].map((name) => number(metrics[name]));
  const parts = [
    steps != null && t("results.steps", { steps: format.number(steps) }),
    tokens != null && t("results.tokens", { tokens: format.number(tokens) }),
    seconds != null && format.duration(seconds),
  ].filter((part) => part !== false);
  const job = lineage?.job_id;
  return (
    <>
      {parts.join(" · ")}
      {typeof job === "string" && (
        <>
          {" · "}
          <Anchor component={Link} to={`/jobs/${job}`} size="sm" underline="always">
            {t("results.job")}
          </Anchor>
        </>
      )}
    </>
  );
}

function Loading({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  const { data } = useQuery(statusQuery);
  const hub = data?.endpoints.hub ?? `${window.location.origin}/hub`;
  return (
    <Part title={t("loading.title")} text={t("loading.text")}>
      <CommandBox key={version.id} tabs={loadingOf(version, hub)} />
    </Part>
  );
}
