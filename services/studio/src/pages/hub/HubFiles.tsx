import { Table, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { HubModel } from "../../api/hub";
import { useFormat } from "../../lib/format";
import classes from "./HubPage.module.css";

/** What is in the repository: what an install takes of it, and why the rest is left. */
export function HubFiles({ files }: { files: HubModel["files"] }) {
  const { t } = useTranslation("hub");
  const format = useFormat();
  return (
    <section>
      <Title order={3} size="h5" mb="xs">
        {t("files.title", { number: format.number(files.length) })}
      </Title>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard */}
      <section className={classes.files} tabIndex={0} aria-label={t("files.label")}>
        <Table layout="auto" verticalSpacing={7} className="k-numbers">
          <Table.Thead>
            <Table.Tr>
              {["name", "size", "taken"].map((name) => (
                <Table.Th key={name}>{t(`files.${name}`)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {files.map((file) => (
              <Table.Tr key={file.path}>
                <Table.Td className={classes.path}>
                  <bdi dir="ltr">{file.path}</bdi>
                </Table.Td>
                <Table.Td className={classes.whole}>{format.bytes(file.sizeBytes)}</Table.Td>
                <Table.Td>
                  {file.problem ? (
                    <Text size="sm" c="var(--k-bad)" dir="ltr" className="k-plain">
                      {file.problem}
                    </Text>
                  ) : (
                    t(file.wanted ? "files.yes" : "files.no")
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
    </section>
  );
}
