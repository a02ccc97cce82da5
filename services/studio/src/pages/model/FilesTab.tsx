// The files of a version, by name, size and sha256.
import { ActionIcon, Anchor, CopyButton, Stack, Table, Text } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { ModelVersion } from "../../api/client";
import { fileAddress, fileLink, type ModelFile } from "../../api/models";
import { useWhoAmI } from "../../api/whoami";
import { fetchFile } from "../../lib/files";
import { useFormat } from "../../lib/format";
import classes from "./ModelPage.module.css";

export function FilesTab({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        {t("files.sum", { number: format.number(version.files.length), size: format.bytes(version.sizeBytes) })}
      </Text>
      <div className="k-card">
        <Table.ScrollContainer minWidth={560} type="native" tabIndex={0}>
          <Table layout="auto" verticalSpacing="sm" horizontalSpacing="md" className="k-numbers">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("files.name")}</Table.Th>
                <Table.Th>{t("facts.size")}</Table.Th>
                <Table.Th>
                  <span dir="ltr">SHA-256</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {version.files.map((file) => (
                <Table.Tr key={file.path}>
                  <Table.Td>
                    <Download version={version} file={file} />
                  </Table.Td>
                  <Table.Td>{format.bytes(file.sizeBytes)}</Table.Td>
                  <Table.Td>
                    <Sha text={file.sha256} file={file.path} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </div>
    </Stack>
  );
}

interface DownloadProps {
  version: ModelVersion;
  file: ModelFile;
}

/** A plain link where nobody must say who asks; else the browser, which cannot say it, is given one that is signed. */
function Download({ version, file }: DownloadProps) {
  const { data: me } = useWhoAmI();
  const load = useMutation({
    mutationFn: () => fileLink(version, file.path),
    onSuccess: ({ url }) => fetchFile(url, file.path),
  });
  const name = <bdi dir="ltr">{file.path}</bdi>;
  if (me?.auth !== true) {
    return (
      <Anchor href={fileAddress(version, file.path)} download size="sm">
        {name}
      </Anchor>
    );
  }
  return (
    <Anchor component="button" type="button" size="sm" onClick={() => load.mutate()} disabled={load.isPending}>
      {name}
    </Anchor>
  );
}

function Sha({ text, file }: { text: string; file: string }) {
  const { t } = useTranslation("models");
  return (
    <span className={`k-mono ${classes.sha}`} dir="ltr" title={text}>
      {text.slice(0, 12)}…
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            onClick={copy}
            aria-label={copied ? t("common:copied") : t("files.copySha", { file })}
          >
            {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
          </ActionIcon>
        )}
      </CopyButton>
    </span>
  );
}
