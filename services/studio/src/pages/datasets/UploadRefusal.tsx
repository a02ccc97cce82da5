// Why a file was not taken: each place of the first twenty, so that it can be mended.
import { Button, CopyButton, Group, Stack, Table, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { ApiProblem, type Problem } from "../../api/problem";
import { useFormat } from "../../lib/format";
import { ProblemDetail } from "../../ui/ProblemDetail";
import { useFailureWords, useProblemText } from "../../ui/problems";
import classes from "./DatasetsPage.module.css";

export function UploadRefusal({ error, file }: { error: unknown; file: string }) {
  const { t } = useTranslation("datasets");
  const { title, failure } = useProblemText()(error);
  const problem = error instanceof ApiProblem ? error.problem : null;
  const placed = (problem?.errors ?? []).some(({ line }) => line != null);
  return (
    <div className={classes.refusal} role="alert">
      <Stack gap="xs">
        <Group gap="xs">
          <IconAlertTriangle size={20} color="var(--k-bad)" aria-hidden />
          <Text fw={650} c="var(--k-bad)">
            {title}
          </Text>
        </Group>
        <ProblemDetail failure={placed ? { ...failure, errors: [] } : failure} />
        {problem && placed && <Places problem={problem} file={file} />}
        {problem === null && (
          <Text size="sm" c="dimmed">
            {t("upload.nothingKept")}
          </Text>
        )}
      </Stack>
    </div>
  );
}

function Places({ problem, file }: { problem: Problem; file: string }) {
  const { t } = useTranslation("datasets");
  const format = useFormat();
  const errors = problem.errors ?? [];
  const total = problem.totalErrors ?? errors.length;
  const { fields } = useFailureWords()({ about: "request", errors });
  return (
    <>
      <Group justify="space-between">
        <Text size="sm" fw={600}>
          {t(errors.length < total ? "refusal.first" : "refusal.all", {
            shown: format.number(errors.length),
            count: total,
            total: format.number(total),
          })}
        </Text>
        <CopyButton value={asLines(problem, file)}>
          {({ copied, copy }) => (
            <Button size="xs" variant="default" onClick={copy}>
              {t(copied ? "common:copied" : "refusal.copy")}
            </Button>
          )}
        </CopyButton>
      </Group>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section className={classes.report} aria-label={t("refusal.places")} tabIndex={0}>
        <Table verticalSpacing={6} stickyHeader className="k-numbers" miw={420}>
          <Table.Thead>
            <Table.Tr>
              {["line", "byte", "field", "message"].map((name) => (
                <Table.Th key={name}>{t(`refusal.${name}`)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {errors.map(({ line, byteOffset, field, message }, place) => (
              <Table.Tr key={`${line} ${byteOffset} ${field} ${message}`}>
                <Table.Td>{line != null && format.number(line)}</Table.Td>
                <Table.Td>{byteOffset != null && format.number(byteOffset)}</Table.Td>
                <Table.Td>
                  <bdi className="k-mono">{field}</bdi>
                </Table.Td>
                <Table.Td>
                  {fields[place]?.known && <div>{fields[place].text}</div>}
                  <span dir="ltr" className="k-plain" data-aside={fields[place]?.known}>
                    {message}
                  </span>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
    </>
  );
}

/** As compilers tell it: editors jump to such places. */
function asLines({ errors = [] }: Problem, file: string): string {
  return errors.map(({ line, field, message }) => `${file}:${line ?? ""}: ${field}: ${message}`).join("\n");
}
