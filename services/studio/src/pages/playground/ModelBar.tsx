// Who is talked to: one model, or two side by side.
import { ActionIcon, Button, Select } from "@mantine/core";
import { IconColumns2, IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { modelQuery } from "../../api/models";
import { baseOf } from "../../lib/models";
import classes from "./PlaygroundPage.module.css";

interface Props {
  models: string[];
  talkers: string[];
  choose: (models: string[]) => void;
}

export function ModelBar({ models, talkers, choose }: Props) {
  const { t } = useTranslation("playground");
  const [first = "", second] = models;
  const other = useOther(first, talkers);
  return (
    <div className={classes.models} data-sides={models.length}>
      <Choice
        label={t("models.first")}
        value={first}
        talkers={talkers}
        onChange={(model) => choose([model, ...models.slice(1)])}
      />
      {second === undefined ? (
        <Button
          variant="default"
          leftSection={<IconColumns2 size={17} aria-hidden />}
          onClick={() => choose([first, other.name])}
        >
          {other.base ? t("models.besideBase", { name: other.name }) : t("models.beside")}
        </Button>
      ) : (
        <div className={classes.second}>
          <Choice
            label={t("models.second")}
            value={second}
            talkers={talkers}
            onChange={(model) => choose([first, model])}
          />
          <ActionIcon variant="default" size="input-sm" onClick={() => choose([first])} aria-label={t("models.alone")}>
            <IconX size={17} aria-hidden />
          </ActionIcon>
        </div>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  talkers: string[];
  onChange: (model: string) => void;
}

/** The list, and what stands in the address beside it: `name@version` can be talked to as well. */
function Choice({ label, value, talkers, onChange }: ChoiceProps) {
  const { t } = useTranslation("playground");
  return (
    <Select
      aria-label={label}
      data={talkers.includes(value) ? talkers : [value, ...talkers]}
      value={value}
      onChange={(model) => model !== null && onChange(model)}
      allowDeselect={false}
      searchable
      nothingFoundMessage={t("models.none")}
    />
  );
}

/** Who would stand beside it: its base where that can talk, else another, else the same. */
function useOther(model: string, talkers: string[]): { name: string; base: boolean } {
  const [name = "", version] = model.split("@");
  const { data } = useQuery({ ...modelQuery(name, version), enabled: name !== "", retry: false });
  const base = data === undefined ? null : baseOf(data.latest);
  if (base !== null && talkers.includes(base)) return { name: base, base: true };
  return { name: talkers.find((talker) => talker !== model) ?? model, base: false };
}
