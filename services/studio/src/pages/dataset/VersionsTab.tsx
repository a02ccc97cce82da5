import { Anchor, Group, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { DatasetVersion } from "../../api/client";
import { versionPages } from "../../api/datasets";
import { useFormat } from "../../lib/format";
import { Chip } from "../../ui/Chip";
import { MorePages } from "../../ui/MorePages";
import { Bones, Failed } from "../../ui/states";
import classes from "./DatasetPage.module.css";
import { Origin } from "./Origin";

/** All versions, newest first, each with where it comes from. */
export function VersionsTab({ version }: { version: DatasetVersion }) {
  const found = useInfiniteQuery(versionPages(version.dataset));
  const { data, error, isPending, refetch } = found;
  if (isPending) return <Bones lines={3} height={84} />;
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  return (
    <Stack>
      <ol className={`k-list ${classes.list}`} reversed>
        {data?.pages.flatMap((page) =>
          page.items.map((one) => (
            <li key={one.id} className={`k-card ${classes.block}`}>
              <VersionLine version={one} shown={one.version === version.version} />
            </li>
          )),
        )}
      </ol>
      <MorePages of={found} />
    </Stack>
  );
}

function VersionLine({ version, shown }: { version: DatasetVersion; shown: boolean }) {
  const { t } = useTranslation(["dataset", "datasets"]);
  const format = useFormat();
  const warned = (version.warnings ?? []).reduce((sum, one) => sum + (one.count ?? 1), 0);
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Group gap="sm">
          <Anchor component={Link} to={`/datasets/${version.dataset}?version=${version.version}#versions`} fw={650}>
            {t("common:version.number", { number: format.number(version.version) })}
          </Anchor>
          {shown && <Chip tone="accent">{t("version.shown")}</Chip>}
          {warned > 0 && (
            <Chip tone="warn">{t("datasets:warnings", { count: warned, places: format.number(warned) })}</Chip>
          )}
        </Group>
        <Text size="sm" c="dimmed" className="k-numbers" title={format.dateTime(version.createdAt)}>
          <bdi>{t("version.rows", { rows: format.number(version.stats.rows) })}</bdi> ·{" "}
          <bdi>{format.bytes(version.stats.sizeBytes)}</bdi> · <bdi>{format.ago(version.createdAt)}</bdi>
        </Text>
      </Group>
      <Origin version={version} />
      <Text size="xs" c="dimmed" className="k-mono" dir="ltr" ta="start" style={{ overflowWrap: "anywhere" }}>
        sha256:{version.sha256}
      </Text>
    </>
  );
}
