// The rows themselves: from any of them on, or those that have a text in them.
import { NumberInput, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { DatasetVersion } from "../../api/client";
import { rowPages } from "../../api/datasets";
import { useFormat } from "../../lib/format";
import { MorePages } from "../../ui/MorePages";
import { Bones, Failed } from "../../ui/states";
import classes from "./DatasetPage.module.css";
import { RowView } from "./RowView";

interface Props {
  version: DatasetVersion;
  /** The row to begin with, counted from 1; the last where there are not so many. */
  first: number;
}

export function RowsTab({ version, first }: Props) {
  const { t } = useTranslation("dataset");
  const [typed, setTyped] = useState("");
  const [from, setFrom] = useState(Math.max(1, Math.min(first, version.stats.rows)));
  const [search] = useDebouncedValue(typed.trim(), 350);
  const [start] = useDebouncedValue(from, 350);
  return (
    <Stack>
      <search className={classes.tools}>
        <TextInput
          flex="1 1 16rem"
          maw={420}
          label={t("rows.search")}
          placeholder={t("rows.searchText")}
          leftSection={<IconSearch size={16} aria-hidden />}
          maxLength={200}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
        <NumberInput
          w={130}
          label={t("rows.from")}
          min={1}
          max={Math.max(1, version.stats.rows)}
          allowDecimal={false}
          clampBehavior="strict"
          value={from}
          onChange={(value) => setFrom(Number(value) || 1)}
        />
      </search>
      <Rows version={version} offset={start - 1} search={search} />
    </Stack>
  );
}

function Rows({ version, offset, search }: { version: DatasetVersion; offset: number; search: string }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const found = useInfiniteQuery(rowPages(version.dataset, version.version, offset, search));
  const { data, error, isPending, refetch, isPlaceholderData } = found;
  if (isPending) return <Bones lines={4} height={84} />;
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  const pages = data?.pages ?? [];
  const rows = pages.flatMap((page) => page.rows.map((row, place) => ({ row, number: page.numbers?.[place] ?? 0 })));
  const looked = pages[pages.length - 1]?.nextOffset;
  return (
    <Stack style={{ opacity: isPlaceholderData ? 0.6 : 1 }} aria-busy={isPlaceholderData}>
      {rows.map(({ row, number }) => (
        <RowView key={number} number={number} row={row} shape={version.format} />
      ))}
      <Text size="sm" c="dimmed" ta="center" role="status" className="k-numbers">
        {rows.length === 0 && t(looked == null ? "rows.none" : "rows.noneYet", { row: format.number(looked ?? 0) })}
        {rows.length > 0 && t("rows.shown", { shown: format.number(rows.length) })}
      </Text>
      <MorePages of={found} label={search === "" ? undefined : t("rows.goOn")} />
    </Stack>
  );
}
