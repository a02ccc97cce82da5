// What is doubtful about a version: each kind once, with its first places and what would mend it.
import { Anchor, Group, Stack, Text, Title } from "@mantine/core";
import { IconCircleCheck, IconWand } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { DatasetVersion } from "../../api/client";
import type { Warning } from "../../api/datasets";
import { useFormat } from "../../lib/format";
import { ChangeButton } from "../../ui/Changing";
import { Chip } from "../../ui/Chip";
import { Empty } from "../../ui/states";
import classes from "./DatasetPage.module.css";
import { RepairDialog } from "./RepairDialog";

export function WarningsTab({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation("dataset");
  const [fixes, setFixes] = useState<string[] | null>(null);
  const warnings = version.warnings ?? [];
  const mendable = [...new Set(warnings.flatMap(({ repair }) => (repair == null ? [] : [repair])))];
  if (warnings.length === 0)
    return (
      <Empty
        title={t("warnings.none")}
        text={t("warnings.noneText")}
        icon={<IconCircleCheck size={48} stroke={1.2} color="var(--k-good)" />}
      />
    );
  return (
    <Stack>
      {mendable.length > 0 && (
        <Group justify="space-between">
          <Text c="dimmed">{t("warnings.text")}</Text>
          <ChangeButton leftSection={<IconWand size={17} aria-hidden />} onClick={() => setFixes(mendable)}>
            {t("warnings.mendAll")}
          </ChangeButton>
        </Group>
      )}
      <ul className={`k-list ${classes.list}`}>
        {warnings.map((warning) => (
          <li key={`${warning.code} ${warning.field}`} className={`k-card ${classes.block}`}>
            <WarningView version={version} warning={warning} onMend={(fix) => setFixes([fix])} />
          </li>
        ))}
      </ul>
      <RepairDialog version={version} mendable={mendable} fixes={fixes} onChange={setFixes} />
    </Stack>
  );
}

interface ViewProps {
  version: DatasetVersion;
  warning: Warning;
  onMend: (fix: string) => void;
}

function WarningView({ version, warning, onMend }: ViewProps) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const { code, count = 1, repair } = warning;
  return (
    <Stack gap="xs">
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <Group gap="sm">
          <Title order={2} size="h5">
            {t(`warnings.codes.${code}`, code)}
          </Title>
          <Chip tone="warn">{t("warnings.count", { count, places: format.number(count) })}</Chip>
        </Group>
        {repair != null && (
          <ChangeButton
            size="xs"
            variant="default"
            leftSection={<IconWand size={15} aria-hidden />}
            aria-label={`${t("warnings.mend")}: ${t(`warnings.codes.${code}`, code)}`}
            onClick={() => onMend(repair)}
          >
            {t("warnings.mend")}
          </ChangeButton>
        )}
      </Group>
      <Snippet warning={warning} />
      <Places version={version} warning={warning} />
      {repair == null && (
        <Text size="sm" c="dimmed">
          {t("warnings.byHand")}
        </Text>
      )}
    </Stack>
  );
}

/** The text where it was found first, where the service quotes it; else what it says of the file as a whole. */
function Snippet({ warning: { message, places = [] } }: { warning: Warning }) {
  const quoted = /«(.*)»/s.exec(message)?.[1];
  if (quoted === undefined && places.length > 0) return null;
  if (quoted === undefined)
    return (
      <Text size="sm" c="dimmed" dir="ltr" className="k-plain">
        {message}
      </Text>
    );
  return <p className={`k-plain ${classes.before}`}>… {quoted} …</p>;
}

function Places({ version, warning }: { version: DatasetVersion; warning: Warning }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  // A file that was stored as it came has its rows line by line; of another the lines are the file's, not the rows'.
  const isRow = version.sha256 === version.sourceSha256;
  const places = [...new Map((warning.places ?? []).map((place) => [place.line, place])).values()];
  if (places.length === 0) return null;
  return (
    <Text size="sm" c="dimmed" className={classes.place} component="div">
      {t(isRow ? "warnings.rows" : "warnings.lines")}{" "}
      {places.map(({ line, byteOffset, field }, number) => (
        <span key={line}>
          {number > 0 && " · "}
          <span title={byteOffset == null ? undefined : t("warnings.byte", { byte: format.number(byteOffset) })}>
            {isRow ? (
              <Anchor component={Link} size="sm" underline="always" to={`?version=${version.version}#rows:${line}`}>
                {format.number(line)}
              </Anchor>
            ) : (
              format.number(line)
            )}
          </span>
          {field != null && (
            <>
              {" "}
              <bdi className="k-mono">{field}</bdi>
            </>
          )}
        </span>
      ))}
      {places.length < (warning.count ?? 1) && " …"}
    </Text>
  );
}
