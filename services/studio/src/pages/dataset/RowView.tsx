// A row as people read it: what was said by whom, what is asked and answered, or its fields.
import { Button, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../lib/format";
import { shapeOf, type Turn, textOf } from "../../lib/rowShapes";
import classes from "./RowView.module.css";

interface Props {
  /** Counted from 0. */
  number: number;
  row: Record<string, unknown>;
  shape: string;
}

const LONG = 1500;

export function RowView({ number, row, shape }: Props) {
  const { t } = useTranslation("dataset");
  const format = useFormat();
  const shown = shapeOf(shape, row);
  return (
    <article className={`k-card ${classes.row}`}>
      <span className={classes.number}>{t("rows.number", { number: format.number(number + 1) })}</span>
      {shown.kind === "turns" && keyed(shown.turns).map(([key, turn]) => <TurnView key={key} turn={turn} />)}
      {shown.kind === "pair" && <Pair asked={shown.asked} answers={shown.answers} />}
      {shown.rest.length > 0 && <Fields fields={shown.rest} />}
    </article>
  );
}

function TurnView({ turn }: { turn: Turn }) {
  const { t } = useTranslation("dataset");
  return (
    <div className={classes.turn} data-role={turn.role}>
      <span className={classes.who}>{t(`roles.${turn.role}`, turn.role)}</span>
      <LongText text={turn.text} className={classes.text} />
    </div>
  );
}

function Pair({ asked, answers }: { asked: Turn[]; answers: Turn[] }) {
  return (
    <>
      {asked.map(({ role, text }, place) => (
        <LongText key={role} text={text} className={place === asked.length - 1 ? classes.asked : classes.text} />
      ))}
      {answers.map(({ role, text }) => (
        <div key={role} className={classes.answer}>
          {answers.length > 1 && <bdi className={classes.who}>{role}</bdi>}
          <LongText text={text} className={classes.text} />
        </div>
      ))}
    </>
  );
}

function Fields({ fields }: { fields: [string, unknown][] }) {
  return (
    <dl className={classes.fields}>
      {fields.map(([name, value]) => (
        <div key={name} style={{ display: "contents" }}>
          <dt>
            <bdi>{name}</bdi>
          </dt>
          <dd>
            <LongText text={textOf(value)} className={typeof value === "object" ? "k-mono" : classes.text} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function LongText({ text, className }: { text: string; className?: string }) {
  const { t } = useTranslation("dataset");
  const [whole, setWhole] = useState(text.length <= LONG);
  return (
    <Text component="div" size="sm" className={`k-plain ${className ?? ""}`}>
      {whole ? text : `${text.slice(0, LONG)}…`}
      {!whole && (
        <Button variant="subtle" size="compact-xs" onClick={() => setWhole(true)}>
          {t("rows.whole")}
        </Button>
      )}
    </Text>
  );
}

/** Places are all that tells equal turns apart. */
function keyed<T>(list: T[]): [string, T][] {
  return list.map((one, place) => [String(place), one]);
}
