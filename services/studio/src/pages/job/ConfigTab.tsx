// What was asked for, and what the platform made of it; and the same as a command and as a request.
import { Button, Code, CopyButton, Stack, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { cliOf, curlOf } from "../../lib/commands";
import { snake } from "../../lib/params";
import { CommandBox } from "../../ui/CommandBox";
import classes from "./JobPage.module.css";

export function ConfigTab({ job }: { job: Job }) {
  const { t } = useTranslation(["job", "params"]);
  const { params, baseModel, dataset, outputModel, recipe, devices } = job.config;
  const given = new Set(Object.keys(job.config.submitted ?? {}).map(snake));
  const facts: [string, unknown][] = [
    ["recipe", recipe],
    ["baseModel", baseModel && `${baseModel.name}@${baseModel.version}`],
    ["dataset", dataset && `${dataset.name}@${dataset.version}`],
    ["outputModel", outputModel],
    ["devices", devices],
  ];
  const submitted = { name: job.name, config: job.config.submitted ?? {} };
  return (
    <Stack gap="lg">
      <Table layout="auto" className={`k-card ${classes.config}`}>
        <Table.Tbody>
          {[...facts, ...Object.entries(params)].map(
            ([name, value]) =>
              value != null && (
                <Table.Tr key={name}>
                  <Table.Th scope="row" fw={given.has(snake(name)) ? 700 : 400}>
                    {t(`params:${snake(name)}.title`, { defaultValue: name })}
                  </Table.Th>
                  <Table.Td>
                    <Code dir="ltr">{String(value)}</Code>
                  </Table.Td>
                </Table.Tr>
              ),
          )}
        </Table.Tbody>
      </Table>
      {job.kind === "train" && (
        <div>
          <Text fw={600} mb="xs">
            {t("job:config.again")}
          </Text>
          <CommandBox
            tabs={[
              ["CLI", cliOf(submitted)],
              ["curl", curlOf(submitted)],
            ]}
          />
        </div>
      )}
      <CopyButton value={JSON.stringify(job, null, 2)}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy} w="fit-content">
            {copied ? t("common:copied") : t("job:config.copyJson")}
          </Button>
        )}
      </CopyButton>
    </Stack>
  );
}
