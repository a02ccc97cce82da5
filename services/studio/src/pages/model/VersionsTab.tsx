// The versions of a model, the tags on the one that is shown, and the aliases that point to them.
import { Anchor, Stack, Table, TagsInput, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { ModelVersion } from "../../api/client";
import { useTags, versionsQuery } from "../../api/models";
import { useFormat } from "../../lib/format";
import { useWhyNot } from "../../ui/Changing";
import { Bones, Failed } from "../../ui/states";
import { Aliases } from "./Aliases";
import { Source } from "./Facts";
import classes from "./ModelPage.module.css";

export function VersionsTab({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  const { data, error, refetch } = useQuery(versionsQuery(version.model));
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones />;
  return (
    <Stack gap="xl">
      <section>
        <Title order={2} size="h4" mb="sm">
          {t("tabs.versions")}
        </Title>
        <Versions versions={data.items} shown={version} />
      </section>
      <section>
        <Title order={2} size="h4" mb="sm">
          {t("aliases.title")}
        </Title>
        <Aliases version={version} versions={data.items} />
      </section>
      <Tags version={version} />
    </Stack>
  );
}

function Versions({ versions, shown }: { versions: ModelVersion[]; shown: ModelVersion }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  return (
    <div className="k-card">
      <Table.ScrollContainer minWidth={560} type="native" tabIndex={0}>
        <Table layout="auto" verticalSpacing="sm" horizontalSpacing="md" fz="sm" className="k-numbers">
          <Table.Thead>
            <Table.Tr>
              {["versions.version", "versions.made", "facts.size", "facts.source", "labels"].map((name) => (
                <Table.Th key={name}>{t(name)}</Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {versions.map((version) => (
              <Table.Tr key={version.id}>
                <Table.Td className={classes.whole}>
                  <Anchor
                    component={Link}
                    to={`/models/${version.model}?version=${version.version}`}
                    aria-current={version.id === shown.id ? "true" : undefined}
                    fw={version.id === shown.id ? 700 : 400}
                    size="sm"
                  >
                    {t("common:version.number", { number: format.number(version.version) })}
                  </Anchor>
                </Table.Td>
                <Table.Td title={format.dateTime(version.createdAt)} className={classes.whole}>
                  {format.ago(version.createdAt)}
                </Table.Td>
                <Table.Td className={classes.whole}>{format.bytes(version.sizeBytes)}</Table.Td>
                <Table.Td>
                  <Source source={version.source} />
                </Table.Td>
                <Table.Td>
                  {[...(version.aliases ?? []).map((alias) => `@${alias}`), ...(version.tags ?? [])].map((label) => (
                    <span key={label}>
                      <bdi>{label}</bdi>{" "}
                    </span>
                  ))}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </div>
  );
}

/** What is written is put on the version at once, what is removed taken off. */
function Tags({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const tags = useTags(version);
  const whyNot = useWhyNot();
  const now = version.tags ?? [];
  const change = (wanted: string[]) =>
    tags.mutate({
      add: wanted.filter((tag) => !now.includes(tag)),
      remove: now.filter((tag) => !wanted.includes(tag)),
    });
  return (
    <section>
      <Title order={2} size="h4" mb="sm">
        {t("tags.title")}
      </Title>
      <TagsInput
        label={t("tags.label", { version: format.number(version.version) })}
        description={whyNot ?? t("tags.text")}
        value={now}
        onChange={change}
        disabled={tags.isPending || whyNot !== null}
        maw={520}
      />
      {now.length === 0 && (
        <Text size="sm" c="dimmed" mt={6}>
          {t("tags.none")}
        </Text>
      )}
    </section>
  );
}
