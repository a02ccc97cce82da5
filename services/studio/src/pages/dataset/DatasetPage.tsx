// One dataset: its versions, what is in them, what is doubtful about them, and what a model would learn from them.
import { Anchor, Group, Stack, Tabs, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useNavigate, useParams, useSearchParams } from "react-router";
import type { DatasetVersion } from "../../api/client";
import { datasetQuery } from "../../api/datasets";
import { useFormat } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { PageHead } from "../../ui/PageHead";
import { Bones, Failed } from "../../ui/states";
import { ChangesUnderWay } from "./ChangesUnderWay";
import { DatasetActions } from "./DatasetActions";
import classes from "./DatasetPage.module.css";
import { Facts } from "./Facts";
import { Origin } from "./Origin";
import { RowsTab } from "./RowsTab";
import { StatisticsTab } from "./StatisticsTab";
import { TokensTab } from "./TokensTab";
import { VersionSelect } from "./VersionSelect";
import { VersionsTab } from "./VersionsTab";
import { WarningsTab } from "./WarningsTab";

const TABS = ["rows", "statistics", "warnings", "tokens", "versions"] as const;

export default function DatasetPage() {
  const name = useParams()["*"] ?? "";
  const [address] = useSearchParams();
  const version = Number(address.get("version")) || undefined;
  const { data, error, refetch } = useQuery(datasetQuery(name, version));
  if (error !== null) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones lines={5} height={90} />;
  return <Whole key={data.name} version={data.latest} />;
}

function Whole({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation(["dataset", "datasets"]);
  const format = useFormat();
  return (
    <Stack gap="lg">
      <div>
        <Anchor component={Link} to="/datasets" size="sm">
          {t("back")}
        </Anchor>
        <PageHead
          title={version.dataset}
          text={
            <Group gap="sm">
              <Chip tone="accent">{t(`datasets:formats.${version.format}`, version.format)}</Chip>
              <VersionSelect version={version} />
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

/** The tab is in the address: a link may lead to the warnings. */
function Parts({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const { hash, search } = useLocation();
  const navigate = useNavigate();
  const [wanted = ""] = hash.slice(1).split(":");
  const tab = TABS.find((name) => name === wanted) ?? "rows";
  const warned = (version.warnings ?? []).length;
  return (
    <Tabs
      value={tab}
      onChange={(name) => void navigate({ search, hash: name ?? "" }, { replace: true })}
      keepMounted={false}
    >
      <Tabs.List className={classes.tabs}>
        {TABS.map((name) => (
          <Tabs.Tab key={name} value={name}>
            {t(`tabs.${name}`)}
            {name === "warnings" && warned > 0 && ` (${format.number(warned)})`}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <div className={classes.panel}>
        <Tabs.Panel value="rows">
          <RowsTab key={version.id + hash} version={version} first={Number(hash.split(":")[1]) || 1} />
        </Tabs.Panel>
        <Tabs.Panel value="statistics">
          <StatisticsTab version={version} />
        </Tabs.Panel>
        <Tabs.Panel value="warnings">
          <WarningsTab key={version.id} version={version} />
        </Tabs.Panel>
        <Tabs.Panel value="tokens">
          <TokensTab key={version.id} version={version} />
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <VersionsTab version={version} />
        </Tabs.Panel>
      </div>
    </Tabs>
  );
}
