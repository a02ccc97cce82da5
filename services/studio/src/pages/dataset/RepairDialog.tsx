// A repair: first what it would do, then, when that is wanted, the new version.
import { Button, Chip as Choice, Group, Stack, Text } from "@mantine/core";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import type { DatasetVersion } from "../../api/client";
import { startRepair } from "../../api/datasets";
import { Dialog } from "../../ui/Dialog";
import { Bones, Failed } from "../../ui/states";
import { ChangeProgress } from "./ChangesUnderWay";
import { RepairPreview } from "./RepairPreview";
import { useChange, useNewVersion } from "./useChange";

interface Props {
  version: DatasetVersion;
  /** The repairs that the warnings of the version ask for. */
  mendable: string[];
  /** The chosen ones; null: closed. */
  fixes: string[] | null;
  onChange: (fixes: string[] | null) => void;
}

export function RepairDialog({ version, mendable, fixes, onChange }: Props) {
  const { t } = useTranslation("dataset");
  return (
    <Dialog opened={fixes !== null} onClose={() => onChange(null)} title={t("repair.title")} size="xl">
      {fixes !== null && <Repair {...{ version, mendable, fixes, onChange }} />}
    </Dialog>
  );
}

function Repair({ version, mendable, fixes, onChange }: Props & { fixes: string[] }) {
  const { t } = useTranslation("dataset");
  const { start: look, ...tried } = useChange();
  const { start: mend, ...made } = useChange();
  const close = () => onChange(null);
  useNewVersion(made.change, close);
  const chosen = fixes.join(",");
  useEffect(() => {
    if (chosen !== "") look(() => startRepair(version.dataset, version.version, chosen.split(","), true));
  }, [chosen, look, version.dataset, version.version]);
  const report = tried.busy ? null : tried.change?.report;
  const useless = report != null && report.rowsChanged === 0 && report.rowsDropped === 0;
  const apply = () => mend(() => startRepair(version.dataset, version.version, fixes, false));
  const error = made.error ?? tried.error;
  return (
    <Stack>
      <Choice.Group multiple value={fixes} onChange={onChange}>
        <Group gap="xs" role="group" aria-label={t("repair.choose")}>
          {mendable.map((fix) => (
            <Choice key={fix} value={fix} size="xs" disabled={made.busy}>
              {t(`fixes.${fix}`, fix)}
            </Choice>
          ))}
        </Group>
      </Choice.Group>
      {error !== null && <Failed error={error} />}
      {fixes.length === 0 && <Text c="dimmed">{t("repair.nothingChosen")}</Text>}
      {fixes.length > 0 && tried.busy && <Bones lines={3} height={60} />}
      {fixes.length > 0 && report != null && <RepairPreview report={report} />}
      {made.busy && made.change && <ChangeProgress change={made.change} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {t("common:close")}
        </Button>
        <Button onClick={apply} loading={made.busy} disabled={report == null || useless || fixes.length === 0}>
          {t("repair.apply")}
        </Button>
      </Group>
    </Stack>
  );
}
