// A row as the model reads it: what it only sees, what it learns, and what lies beyond the maximum length.
import { Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../api/client";
import { useFormat } from "../lib/format";
import { piecesOf } from "../lib/spans";
import classes from "./MaskView.module.css";

export type TokenizedRow = Schemas["TokenizedRow"];

const STATES = ["trained", "read", "cut"] as const;
const ELEMENTS = { trained: "mark", read: "span", cut: "s" } as const;
const MOST_PIECES = 600;

export function MaskView({ row }: { row: TokenizedRow }) {
  const { t } = useTranslation("tokens");
  const [view, setView] = useState("text");
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <RowFigures row={row} />
        <SegmentedControl
          size="xs"
          aria-label={t("view.label")}
          data={["text", "tokens"].map((value) => ({ value, label: t(`view.${value}`) }))}
          value={view}
          onChange={setView}
        />
      </Group>
      {view === "text" ? <Spans row={row} /> : <Pieces row={row} />}
      {row.label != null && (
        <Text size="sm">
          {t("label")} <bdi style={{ fontWeight: 650 }}>{row.label}</bdi>
        </Text>
      )}
    </Stack>
  );
}

/** What the colours mean. */
export function MaskLegend() {
  const { t } = useTranslation("tokens");
  return (
    <ul className={`k-list ${classes.legend}`} aria-label={t("legend")}>
      {STATES.map((state) => (
        <li key={state} data-state={state}>
          <i aria-hidden />
          {t(`states.${state}`)}
        </li>
      ))}
    </ul>
  );
}

function RowFigures({ row }: { row: TokenizedRow }) {
  const { t } = useTranslation("tokens");
  const format = useFormat();
  const told = [
    t("row", { row: format.number(row.row + 1) }),
    t("rowTokens", { tokens: format.number(row.tokens) }),
    row.label == null && t("rowTrained", { tokens: format.number(row.trainedTokens) }),
    row.cutTokens > 0 && t("rowCut", { tokens: format.number(row.cutTokens) }),
    row.items > 1 && t("rowItems", { items: format.number(row.items) }),
  ];
  return (
    <Text size="sm" className="k-numbers">
      {told
        .filter((part) => part !== false)
        .map((part, place) => (
          <span key={part}>
            {place > 0 && " · "}
            <bdi>{part}</bdi>
          </span>
        ))}
    </Text>
  );
}

function Spans({ row }: { row: TokenizedRow }) {
  const { t } = useTranslation("tokens");
  if (row.spans.length === 0) return <Text c="dimmed">{t("noRoom")}</Text>;
  return (
    <p className={`k-plain ${classes.text}`}>
      {keyed(row.spans).map(({ key, text, state }) => (
        <Span key={key} state={state} title={t(`states.${state}`)}>
          {keyed(piecesOf(text)).map((piece) =>
            piece.special ? (
              <bdi key={piece.key} dir="ltr" className={classes.special}>
                {piece.text}
              </bdi>
            ) : (
              piece.text
            ),
          )}
        </Span>
      ))}
    </p>
  );
}

interface SpanProps {
  state: Schemas["TokenSpan"]["state"];
  title: string;
  children: ReactNode;
}

function Span({ state, title, children }: SpanProps) {
  const Element = ELEMENTS[state];
  return (
    <Element data-state={state} title={title}>
      {children}
    </Element>
  );
}

function Pieces({ row }: { row: TokenizedRow }) {
  const { t } = useTranslation("tokens");
  const format = useFormat();
  const shown = row.pieces.slice(0, MOST_PIECES);
  if (shown.length === 0) return <Text c="dimmed">{t("noRoom")}</Text>;
  return (
    <>
      <ol className={`k-list ${classes.pieces}`} dir="auto">
        {keyed(shown).map(({ key, id, text, state }) => (
          <li key={key} data-state={state} title={t(`states.${state}`)}>
            <bdi>{visible(text)}</bdi>
            <small>{id}</small>
          </li>
        ))}
      </ol>
      {shown.length < row.tokens && (
        <Text size="sm" c="dimmed">
          {t("firstTokens", { shown: format.number(shown.length) })}
        </Text>
      )}
    </>
  );
}

/** Places are all that tells equal pieces apart. */
function keyed<T>(list: T[]): (T & { key: string })[] {
  return list.map((one, place) => ({ ...one, key: String(place) }));
}

function visible(text: string): string {
  return text
    .replace(/\n/g, "⏎")
    .replace(/\u200c/g, "¦")
    .replace(/^ | $/g, "·");
}
