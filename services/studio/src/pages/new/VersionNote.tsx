// That the version which is chosen is not the newest, with the way to that one; or that a former job's is gone.
import { Anchor, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { datasetFactsQuery, modelFactsQuery } from "../../api/training";
import { useFormat } from "../../lib/format";
import { isOld, partsOf } from "../../lib/references";
import classes from "./NewPage.module.css";
import type { Own } from "./own";

interface Props {
  /** What is chosen. */
  reference: string | null;
  own: Own | null;
  choose: (reference: string) => void;
}

export function ModelVersionNote(props: Props) {
  const { data } = useQuery(modelFactsQuery(newestOf(props.reference)));
  return <VersionNote {...props} newest={data?.latest.version} />;
}

export function DatasetVersionNote(props: Props) {
  const { data } = useQuery(datasetFactsQuery(newestOf(props.reference)));
  return <VersionNote {...props} newest={data?.latest.version} />;
}

function newestOf(reference: string | null): string | null {
  return reference === null ? null : partsOf(reference).name;
}

/** `newest` is undefined until it is known, and where nothing of that name is there. */
function VersionNote({ reference, own, newest, choose }: Props & { newest: number | undefined }) {
  const { t } = useTranslation("new");
  const format = useFormat();
  if (reference === null || newest === undefined) return null;
  const { name, version } = partsOf(reference);
  const former = partsOf(own?.reference ?? "");
  if (own !== null && !own.there && version === undefined && name === former.name) {
    return (
      <Text size="sm" c="var(--k-warn)" role="status">
        {t("version.gone", { version: format.number(Number(former.version)), newest: format.number(newest) })}
      </Text>
    );
  }
  if (!isOld(reference, newest)) return null;
  const told = { version: format.number(Number(version)), newest: format.number(newest) };
  return (
    <div className={classes.facts}>
      <span>{t(reference === own?.reference ? "version.own" : "version.old", told)}</span>
      <Anchor component="button" type="button" size="sm" onClick={() => choose(name)}>
        {t("version.take", told)}
      </Anchor>
    </div>
  );
}
