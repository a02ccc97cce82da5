// A log as a terminal shows it: left to right, each line in its own direction; follows its end until one scrolls up.
import { Button, Group, TextInput } from "@mantine/core";
import { IconArrowDown, IconDownload, IconSearch } from "@tabler/icons-react";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { LogLine } from "../api/history";
import { useFormat } from "../lib/format";
import { shownLine } from "../lib/terminal";
import classes from "./LogView.module.css";

interface Props {
  lines: LogLine[];
  /** Loads the whole log. */
  onDownload: () => void;
}

const NEAR = 24;

export function LogView({ lines, onDownload }: Props) {
  const { t } = useTranslation("job");
  const [wanted, setWanted] = useState("");
  const [following, setFollowing] = useState(true);
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => found(lines, wanted), [lines, wanted]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: new lines are what it follows
  useEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [following, shown]);

  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current as HTMLDivElement;
    setFollowing(scrollHeight - scrollTop - clientHeight < NEAR);
  };

  return (
    <div>
      <Group mb="xs" justify="space-between">
        <TextInput
          size="sm"
          aria-label={t("log.search")}
          placeholder={t("log.search")}
          leftSection={<IconSearch size={15} aria-hidden />}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
        <Group gap="xs">
          {!following && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconArrowDown size={15} />}
              onClick={() => setFollowing(true)}
            >
              {t("log.follow")}
            </Button>
          )}
          <Button size="xs" variant="default" leftSection={<IconDownload size={15} />} onClick={onDownload}>
            {t("log.download")}
          </Button>
        </Group>
      </Group>
      <div
        ref={box}
        className={classes.log}
        dir="ltr"
        role="log"
        aria-label={t("log.title")}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={scrolled}
      >
        {shown.length === 0 && <span className={classes.empty}>{t(wanted ? "log.noMatch" : "log.empty")}</span>}
        {pagesOf(shown).map(([key, page]) => (
          <Page key={key} lines={page} />
        ))}
      </div>
    </div>
  );
}

/** Laid out together, and only in view; drawn anew only when lines came or went. */
const Page = memo(
  function Page({ lines }: { lines: LogLine[] }) {
    return (
      <div className={classes.page}>
        {lines.map((line) => (
          <Line key={line.number} line={line} />
        ))}
      </div>
    );
  },
  (before, after) =>
    before.lines.length === after.lines.length && before.lines.every((line, place) => line === after.lines[place]),
);

function Line({ line }: { line: LogLine }) {
  const { text, rest } = shownLine(line.message);
  return (
    <div className={classes.line} data-level={line.level}>
      <time dateTime={line.at}>{clock(line.at)}</time>
      <span className={classes.text}>
        {text}
        {rest > 0 && <Rest characters={rest} />}
      </span>
    </div>
  );
}

/** Apart, for there are thousands of lines, and few are as long as that. */
function Rest({ characters }: { characters: number }) {
  const { t } = useTranslation("job");
  const format = useFormat();
  return <bdi className={classes.empty}> {t("log.rest", { number: format.number(characters) })}</bdi>;
}

const LINES_A_PAGE = 100;

/** By number, so that new lines leave the pages above as they are. */
function pagesOf(lines: LogLine[]): [number, LogLine[]][] {
  const pages = new Map<number, LogLine[]>();
  for (const line of lines) {
    const key = Math.floor(line.number / LINES_A_PAGE);
    const page = pages.get(key);
    if (page === undefined) pages.set(key, [line]);
    else page.push(line);
  }
  return [...pages];
}

function found(lines: LogLine[], wanted: string): LogLine[] {
  const part = wanted.trim().toLowerCase();
  return part === "" ? lines : lines.filter((line) => line.message.toLowerCase().includes(part));
}

/** Logs are read beside those of servers: Latin digits, so that columns stand. */
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

function clock(at: string): string {
  return CLOCK.format(new Date(at));
}
