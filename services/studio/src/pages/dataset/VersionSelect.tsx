import { Select } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { DatasetVersion } from "../../api/client";
import { versionPages } from "../../api/datasets";
import { useFormat } from "../../lib/format";

export function VersionSelect({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const [, setAddress] = useSearchParams();
  const { data } = useInfiniteQuery(versionPages(version.dataset));
  const numbers = data?.pages.flatMap((page) => page.items.map((one) => one.version)) ?? [];
  const known = numbers.includes(version.version) ? numbers : [version.version, ...numbers];
  const newest = numbers[0];
  return (
    <Select
      size="xs"
      w={150}
      aria-label={t("version.choose")}
      allowDeselect={false}
      data={known.map((number) => ({
        value: String(number),
        label: t(number === newest ? "version.latest" : "version.number", { number: format.number(number) }),
      }))}
      value={String(version.version)}
      onChange={(number) =>
        setAddress((before) => {
          const after = new URLSearchParams(before);
          if (number === null || Number(number) === newest) after.delete("version");
          else after.set("version", number);
          return after;
        })
      }
    />
  );
}
