import { NumberInput, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { installedQuery } from "../../api/platform";
import { useEvaluation } from "../../api/tasks";
import { useFormat } from "../../lib/format";
import { type DialogProps, reference, TaskDialog } from "./TaskDialog";

/** The figures of a version on a dataset; nothing is trained. */
export function EvaluateDialog({ version, ...dialog }: DialogProps) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const task = useEvaluation();
  const { data } = useQuery(installedQuery);
  const [dataset, setDataset] = useState<string | null>(null);
  const [rows, setRows] = useState<number | null>(null);
  const sets = data?.datasets ?? [];
  const wish =
    dataset === null ? null : { model: reference(version), dataset, config: rows === null ? {} : { maxRows: rows } };
  return (
    <TaskDialog
      {...dialog}
      title={t("evaluate.title")}
      text={t("evaluate.text")}
      submit={t("evaluate.submit")}
      task={task}
      wish={wish}
    >
      <Select
        label={t("evaluate.dataset")}
        placeholder={t(sets.length === 0 ? "evaluate.noDatasets" : "evaluate.choose")}
        data={sets.map(({ name, rows: count }) => ({
          value: name,
          label: count == null ? name : `${name} · ${t("evaluate.rowsOf", { rows: format.number(count) })}`,
        }))}
        value={dataset}
        onChange={setDataset}
        disabled={sets.length === 0}
        required
      />
      <NumberInput
        label={t("evaluate.rows")}
        description={t("evaluate.rowsText")}
        min={1}
        allowDecimal={false}
        value={rows ?? ""}
        onChange={(value) => setRows(typeof value === "number" ? value : null)}
      />
    </TaskDialog>
  );
}
