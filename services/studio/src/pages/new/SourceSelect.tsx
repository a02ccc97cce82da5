import { Select } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useTextOr } from "../../i18n/optional";
import { useFormat } from "../../lib/format";
import classes from "./NewPage.module.css";
import type { Own } from "./own";
import type { Source } from "./plan";

interface Props {
  label: string;
  placeholder: string;
  sources: Source[];
  /** What a former job was trained on, which stays to be chosen. */
  own: Own | null;
  /** Where the words for a source's kind are. */
  kinds: "kinds" | "formats";
  value: string | null;
  onChange: (name: string | null) => void;
  error: string | undefined;
}

/** One of what is installed, found by its name; with its kind and size beside it. */
export function SourceSelect({ sources, own, kinds, value, error, ...given }: Props) {
  const { t } = useTranslation("new");
  const or = useTextOr("new");
  const format = useFormat();
  const names = sources.map(({ name }) => name);
  const versions = [value, own?.there ? own.reference : null].filter((one) => one !== null && !names.includes(one));
  const told = (name: string) => {
    const source = sources.find((one) => one.name === name);
    if (source === undefined) return "";
    const amount =
      source.rows == null ? format.bytes(source.sizeBytes) : t("facts.rows", { rows: format.number(source.rows) });
    return `${or(`new:${kinds}.${source.kind}`, source.kind)} · ${amount}`;
  };
  return (
    <Select
      {...given}
      required
      searchable
      disabled={sources.length === 0}
      nothingFoundMessage={t("common:none")}
      // `name@2`, of an address or of a former job, is no entry of what is installed.
      data={[...new Set(versions as string[]), ...names]}
      value={value}
      error={error}
      maxDropdownHeight={320}
      renderOption={({ option }) => (
        <div className={classes.option}>
          <bdi>{option.label}</bdi>
          <span>{told(option.value)}</span>
        </div>
      )}
    />
  );
}
