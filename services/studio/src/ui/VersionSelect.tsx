import { Select } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useFormat } from "../lib/format";
import { useAddress } from "./address";

interface Props {
  /** Newest first, as far as they are known. */
  versions: number[];
  shown: number;
}

/** The version that is shown is in the address, unless it is the newest. */
export function VersionSelect({ versions, shown }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const [, change] = useAddress();
  const [newest] = versions;
  const known = versions.includes(shown) ? versions : [shown, ...versions];
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
      value={String(shown)}
      onChange={(chosen) => change({ version: chosen === String(newest) ? null : chosen }, { replace: false })}
    />
  );
}
