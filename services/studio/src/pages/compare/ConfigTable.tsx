import { Button, Group, Switch, Table, Text, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { useTextOr } from "../../i18n/optional";
import { configRows, csv, finals } from "../../lib/compare";
import { saveCsv } from "../../lib/files";
import classes from "./ComparePage.module.css";
import { JobHeads } from "./JobHeads";

/** What the jobs were made of; what differs is marked, and may be shown alone. */
export function ConfigTable({ jobs }: { jobs: Job[] }) {
  const { t } = useTranslation("compare");
  const or = useTextOr("params");
  const [only, setOnly] = useState(false);
  const rows = configRows(jobs);
  const shown = only ? rows.filter(({ differs }) => differs) : rows;
  return (
    <section className={`k-card ${classes.card}`}>
      <Group justify="space-between" mb="sm">
        <Title order={2} size="h4">
          {t("config")}
        </Title>
        <Group>
          <Switch
            label={t("only")}
            checked={only}
            onChange={(event) => setOnly(event.currentTarget.checked)}
            disabled={jobs.length < 2}
          />
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={15} />}
            aria-label={t("csvTable")}
            onClick={() => saveCsv("compare.csv", tableCsv(jobs))}
          >
            CSV
          </Button>
        </Group>
      </Group>
      {shown.length === 0 && <Text c="dimmed">{t("same")}</Text>}
      {shown.length > 0 && (
        <Table.ScrollContainer minWidth={320}>
          <Table className={`k-numbers ${classes.table}`}>
            <JobHeads jobs={jobs} first={t("setting")} />
            <Table.Tbody>
              {shown.map(({ name, values, differs }) => (
                <Table.Tr key={name} data-differs={differs || undefined}>
                  <Table.Th scope="row">
                    {or(`params:${name}.title`, name)}
                    {differs && <span className="k-skip"> ({t("differs")})</span>}
                  </Table.Th>
                  {jobs.map((job, place) => (
                    <Table.Td key={job.id}>
                      <span dir="ltr" className="k-mono">
                        {values[place]}
                      </span>
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </section>
  );
}

/** Ids, figures and settings, a column a job. */
function tableCsv(jobs: Job[]): string {
  return csv([
    ["job", ...jobs.map(({ id }) => id)],
    ["name", ...jobs.map(({ name }) => name)],
    ["status", ...jobs.map(({ status }) => status)],
    ...finals(jobs).map(({ name, values }) => [name, ...values]),
    ...configRows(jobs).map(({ name, values }) => [name, ...values.map((value) => (value === "–" ? "" : value))]),
  ]);
}
