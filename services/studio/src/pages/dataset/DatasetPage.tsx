// One dataset: its versions, what is in them, what is doubtful about them, and what a model would learn from them.
import { Group, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useLocation, useParams, useSearchParams } from "react-router";
import type { DatasetVersion } from "../../api/client";
import { datasetQuery, versionPages } from "../../api/datasets";
import { isLost } from "../../api/problem";
import { useFormat } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { HashTabs } from "../../ui/HashTabs";
import { PageHead } from "../../ui/PageHead";
import { Bones, Failed } from "../../ui/states";
import { VersionSelect } from "../../ui/VersionSelect";
import { ChangesUnderWay } from "./ChangesUnderWay";
import { DatasetActions } from "./DatasetActions";
import { Facts } from "./Facts";
import { Origin } from "./Origin";
import { RowsTab } from "./RowsTab";
import { StatisticsTab } from "./StatisticsTab";
import { TokensTab } from "./TokensTab";
import { VersionsTab } from "./VersionsTab";
import { WarningsTab } from "./WarningsTab";

export default function DatasetPage() {
  const name = useParams()["*"] ?? "";
  const [address] = useSearchParams();
  const version = Number(address.get("version")) || undefined;
  const { data, error, refetch } = useQuery(datasetQuery(name, version));
  if (isLost(error, data)) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones lines={5} height={90} />;
  return <Whole key={data.name} version={data.latest} />;
}

function Whole({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation(["dataset", "datasets"]);
  const format = useFormat();
  const { data } = useInfiniteQuery(versionPages(version.dataset));
  const versions = data?.pages.flatMap((page) => page.items.map((one) => one.version)) ?? [];
  return (
    <Stack gap="lg">
      <div>
        <PageHead
          title={version.dataset}
          back={{ to: "/datasets", label: t("back") }}
          text={
            <Group gap="sm">
              <Chip tone="accent">{t(`datasets:formats.${version.format}`, version.format)}</Chip>
              <VersionSelect versions={versions} shown={version.version} />
              <Text size="sm" c="dimmed" title={format.dateTime(version.createdAt)}>
                {format.ago(version.createdAt)}
              </Text>
            </Group>
          }
        >
          <DatasetActions version={version} />
        </PageHead>
        <Origin version={version} />
      </div>
      <ChangesUnderWay name={version.dataset} />
      <Facts version={version} />
      <Parts version={version} />
    </Stack>
  );
}

function Parts({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const { hash } = useLocation();
  const first = Number(hash.split(":")[1]) || 1;
  const warned = (version.warnings ?? []).length;
  const labelOf = (name: string) =>
    name === "warnings" && warned > 0 ? `${t("tabs.warnings")} (${format.number(warned)})` : t(`tabs.${name}`);
  return (
    <HashTabs
      labelOf={labelOf}
      views={{
        rows: <RowsTab key={version.id + hash} version={version} first={first} />,
        statistics: <StatisticsTab version={version} />,
        warnings: <WarningsTab key={version.id} version={version} />,
        tokens: <TokensTab key={version.id} version={version} />,
        versions: <VersionsTab version={version} />,
      }}
    />
  );
}
