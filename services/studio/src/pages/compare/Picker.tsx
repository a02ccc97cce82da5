import { MultiSelect } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQueries } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { jobPages, jobQuery } from "../../api/jobs";
import { labelsOf, MOST_COMPARED } from "../../lib/compare";
import { useFormat } from "../../lib/format";

interface Props {
  chosen: string[];
  onChoose: (ids: string[]) => void;
}

/** Recent trainings, and those whose name has what was typed. */
export function Picker({ chosen, onChoose }: Props) {
  const { t } = useTranslation("compare");
  const format = useFormat();
  const [search, setSearch] = useState("");
  const [wanted] = useDebouncedValue(search.trim(), 300);
  const { data } = useInfiniteQuery(jobPages({ kind: "train", ...(wanted ? { name: wanted } : {}) }));
  const held = useQueries({ queries: chosen.map((id) => jobQuery(id)) }).flatMap(({ data: job }) => job ?? []);
  const recent = data?.pages.flatMap(({ items }) => items) ?? [];
  const jobs = new Map([...recent, ...held].map((job) => [job.id, job]));
  const labels = labelsOf([...jobs.values()]);
  const entries = [...chosen, ...[...jobs.keys()].filter((id) => !chosen.includes(id))];
  return (
    <MultiSelect
      label={t("picker.label")}
      description={t("picker.text", { most: format.number(MOST_COMPARED) })}
      placeholder={chosen.length === 0 ? t("picker.placeholder") : undefined}
      data={entries.map((value) => ({ value, label: labels.get(value) ?? value }))}
      value={chosen}
      onChange={onChoose}
      maxValues={MOST_COMPARED}
      searchable
      clearable
      clearButtonProps={{ "aria-label": t("picker.clear") }}
      searchValue={search}
      onSearchChange={setSearch}
      nothingFoundMessage={t("picker.none")}
      filter={({ options }) => options}
      hidePickedOptions
      maxDropdownHeight={340}
      renderOption={({ option }) => {
        const job = jobs.get(option.value);
        return (
          <span>
            <bdi>{option.label}</bdi>
            {job && ` · ${t(`common:status.${job.status}`)} · ${format.ago(job.createdAt)}`}
          </span>
        );
      }}
    />
  );
}
