import { Group, Table, Title } from "@mantine/core";
import { IconTrophy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { type Final, finals } from "../../lib/compare";
import { type Format, useFormat } from "../../lib/format";
import { StatusBadge } from "../../ui/StatusBadge";
import classes from "./ComparePage.module.css";
import { JobHeads } from "./JobHeads";

/** The last figures, the best of each marked. */
export function FinalTable({ jobs }: { jobs: Job[] }) {
  const { t } = useTranslation("compare");
  const format = useFormat();
  return (
    <section className={`k-card ${classes.card}`}>
      <Title order={2} size="h4" mb="sm">
        {t("finals")}
      </Title>
      <Table.ScrollContainer minWidth={320}>
        <Table className={`k-numbers ${classes.table}`}>
          <JobHeads jobs={jobs} first={t("figure")} />
          <Table.Tbody>
            <Table.Tr>
              <Table.Th scope="row">{t("status")}</Table.Th>
              {jobs.map((job) => (
                <Table.Td key={job.id}>
                  <StatusBadge job={job} />
                </Table.Td>
              ))}
            </Table.Tr>
            {finals(jobs).map((final) => (
              <Table.Tr key={final.name}>
                <Table.Th scope="row">{t([`names.${final.name}`, `common:metrics.${final.name}`])}</Table.Th>
                {jobs.map((job, place) => (
                  <Table.Td key={job.id}>
                    <Value text={shown(format, final, place)} best={final.best.includes(place)} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  );
}

function Value({ text, best }: { text: string; best: boolean }) {
  const { t } = useTranslation("compare");
  if (!best) return <>{text}</>;
  return (
    <Group gap={6} wrap="nowrap" className={classes.best}>
      {text}
      <IconTrophy size={15} role="img" aria-label={t("best")} />
    </Group>
  );
}

function shown(format: Format, { name, values }: Final, place: number): string {
  const value = values[place];
  if (value === null || value === undefined) return "–";
  if (name === "duration") return format.duration(value);
  return name === "accuracy" ? format.percent(value * 100, 1) : format.figure(value);
}
