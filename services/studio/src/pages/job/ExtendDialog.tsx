import { Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Job } from "../../api/client";
import { recipesQuery } from "../../api/platform";
import { useExtension } from "../../api/tasks";
import { type Extension, extensionOf, LONGEST_NAME, sequel } from "../../lib/extension";
import { useFormat } from "../../lib/format";
import { type Given, type Param, sentValue, wrong } from "../../lib/params";
import { TaskDialog } from "../model/TaskDialog";
import { ParamField } from "../new/ParamField";

interface Props {
  job: Job;
  opened: boolean;
  onClose: () => void;
}

/** A new job that goes on where this one ended: for how much more, and what it is called. */
export function ExtendDialog({ job, opened, onClose }: Props) {
  const { t } = useTranslation("job");
  const format = useFormat();
  const task = useExtension(job.id);
  const { data, isPending } = useQuery({ ...recipesQuery, enabled: opened });
  const [given, setGiven] = useState<Given>();
  const [name, setName] = useState(sequel(job.name));
  const recipe = data?.items.find((one) => one.name === job.config.recipe);
  const extension = extensionOf(job, recipe);
  const { unit, had, range, standard } = extension;
  const full = range.high !== null && range.high < 1;
  const field = fieldOf(extension, t(`extend.${unit}`));
  const fault = wrong(field, given, false);
  const more = fault === null ? Number(sentValue(field, given) ?? standard) : null;
  if (more !== null)
    field.description = t("extend.total", { had: format.number(had), total: format.number(had + more) });
  const ready = !isPending && !full && more !== null && name.trim() !== "";
  return (
    <TaskDialog
      opened={opened}
      onClose={onClose}
      title={t("extend.title")}
      text={t("extend.text", { model: job.config.outputModel })}
      submit={t("extend.submit")}
      task={task}
      wish={ready ? { [unit]: more, name: name.trim() } : null}
    >
      {full ? (
        <Text>{t("extend.full", { had: format.number(had) })}</Text>
      ) : (
        <ParamField param={field} given={given} onGiven={setGiven} wrong={fault} problem={undefined} advanced={false} />
      )}
      <TextInput
        label={t("extend.name")}
        required
        maxLength={LONGEST_NAME}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
    </TaskDialog>
  );
}

/** As the field of a recipe's parameter, which it is like. */
function fieldOf({ unit, range, standard }: Extension, title: string): Param {
  const plain = { description: "", nullable: false, choices: [], common: true };
  return { ...plain, name: `further_${unit}`, kind: "integer", title, standard, basic: range, wide: range };
}
