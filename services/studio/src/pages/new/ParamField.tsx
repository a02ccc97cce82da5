import { Select, Switch, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useTextOr } from "../../i18n/optional";
import { type Format, useFormat } from "../../lib/format";
import type { Given, Param, ParamKind, Range, Wrong } from "../../lib/params";
import classes from "./NewPage.module.css";

interface Props {
  param: Param;
  given: Given;
  onGiven: (given: Given) => void;
  wrong: Wrong;
  /** What the gateway says of it. */
  problem: string | undefined;
  advanced: boolean;
}

const KEYBOARDS: Partial<Record<ParamKind, "numeric" | "decimal">> = { integer: "numeric", number: "decimal" };

/** The explanation below, so that the fields of a line stand on one height. */
const PARTS: ("label" | "input" | "description" | "error")[] = ["label", "input", "description", "error"];

type Translate = (key: string, options?: object) => string;

export function ParamField({ param, given, onGiven, wrong, problem, advanced }: Props) {
  const { t } = useTranslation("new");
  const or = useTextOr("new", "params");
  const format = useFormat();
  const range = rangeText(t as Translate, format, advanced ? param.wide : param.basic);
  const title = or(`params:${param.name}.title`, param.title);
  const description = or(`params:${param.name}.description`, param.description);
  const told = {
    description,
    error: wrong === null ? problem : t(`wrong.${wrong}`, { range, most: format.number(Number.MAX_SAFE_INTEGER) }),
  };
  if (param.kind === "switch") {
    const on = typeof given === "boolean" ? given : param.standard === true;
    return <Switch {...told} label={title} checked={on} onChange={(event) => onGiven(event.currentTarget.checked)} />;
  }
  if (param.kind === "choice") {
    return (
      <Select
        {...told}
        label={title}
        inputWrapperOrder={PARTS}
        data={param.choices.map((value) => ({
          value,
          label: or(`new:choices.${param.name}_${value}`, or(`new:choices.${value}`, value)),
        }))}
        value={typeof given === "string" ? given : String(param.standard)}
        allowDeselect={false}
        onChange={(value) => onGiven(value ?? undefined)}
      />
    );
  }
  return <Written {...told} {...{ param, given, onGiven, title, range }} />;
}

type WrittenProps = Pick<Props, "param" | "given" | "onGiven"> & {
  title: string;
  range: string;
  description: string;
  error: string | undefined;
};

function Written({ param, given, onGiven, title, range, ...told }: WrittenProps) {
  const { t } = useTranslation("new");
  const format = useFormat();
  return (
    <TextInput
      {...told}
      inputWrapperOrder={PARTS}
      label={
        <>
          {title}
          {range && <span className={classes.range}>{range}</span>}
        </>
      }
      dir={param.kind in KEYBOARDS ? undefined : "ltr"}
      inputMode={KEYBOARDS[param.kind] ?? "text"}
      classNames={{ input: classes.number }}
      placeholder={param.standard == null ? t("empty") : shown(format, param.standard)}
      value={typeof given === "string" ? given : shown(format, param.standard)}
      onChange={(event) => onGiven(event.currentTarget.value)}
    />
  );
}

/** A standard value as one would write it. */
function shown(format: Format, value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return Array.isArray(value) ? value.join(" ") : String(value);
  return new Intl.NumberFormat(format.locale, { useGrouping: false, maximumSignificantDigits: 6 }).format(value);
}

function rangeText(t: Translate, format: Format, { low, high, openLow, openHigh }: Range): string {
  const far = (value: number | null) => value === null || Math.abs(value) >= Number.MAX_SAFE_INTEGER;
  const end = (value: number | null) =>
    Number.isInteger(value) ? format.number(value ?? 0) : format.figure(value ?? 0);
  const ends = { low: end(low), high: end(high) };
  if (!far(low) && !far(high)) return t(openLow || openHigh ? "range.open" : "range.both", ends);
  if (!far(low)) return t(openLow ? "range.above" : "range.least", ends);
  return far(high) ? "" : t("range.most", ends);
}
