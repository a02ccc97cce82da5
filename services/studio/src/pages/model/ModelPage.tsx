// A model: what it is, where it comes from, its card and files, its versions and what points to them.
import { Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams, useSearchParams } from "react-router";
import type { ModelVersion } from "../../api/client";
import { modelQuery, versionsQuery } from "../../api/models";
import { isLost } from "../../api/problem";
import { useFormat } from "../../lib/format";
import { HashTabs } from "../../ui/HashTabs";
import { Labels } from "../../ui/Labels";
import { PageHead } from "../../ui/PageHead";
import { Bones, Failed } from "../../ui/states";
import { VersionSelect } from "../../ui/VersionSelect";
import { KindBadge } from "../models/KindBadge";
import { CardTab } from "./CardTab";
import { FilesTab } from "./FilesTab";
import { ModelActions } from "./ModelActions";
import { OverviewTab } from "./OverviewTab";
import { VersionsTab } from "./VersionsTab";

export default function ModelPage() {
  const { "*": name = "" } = useParams();
  const [address] = useSearchParams();
  const wanted = address.get("version") ?? undefined;
  const { data: model, error, refetch } = useQuery(modelQuery(name, wanted));
  if (isLost(error, model)) return <Failed error={error} again={() => void refetch()} />;
  if (model === undefined) return <Bones lines={5} height={90} />;
  return <Whole key={model.latest.id} version={model.latest} />;
}

function Whole({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const { data } = useQuery(versionsQuery(version.model));
  const versions = data?.items.map((one) => one.version) ?? [];
  return (
    <Stack gap="lg">
      <PageHead
        title={version.model}
        back={{ to: "/models", label: t("back") }}
        text={
          <Stack gap={0}>
            <Group gap="sm">
              <KindBadge kind={version.facts.kind} />
              <VersionSelect versions={versions} shown={version.version} />
              <Text size="sm" c="dimmed" title={format.dateTime(version.createdAt)}>
                {format.ago(version.createdAt)}
              </Text>
            </Group>
            <Labels aliases={version.aliases ?? []} tags={version.tags ?? []} />
          </Stack>
        }
      >
        <ModelActions version={version} />
      </PageHead>
      <Parts version={version} />
    </Stack>
  );
}

function Parts({ version }: { version: ModelVersion }) {
  const { t } = useTranslation("models");
  return (
    <HashTabs
      labelOf={(name) => t(`tabs.${name}`)}
      views={{
        overview: <OverviewTab version={version} />,
        card: <CardTab version={version} />,
        files: <FilesTab version={version} />,
        versions: <VersionsTab version={version} />,
      }}
    />
  );
}
