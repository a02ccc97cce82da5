// A log as a terminal shows it: left to right, each line in its own direction; follows its end until one scrolls up.
import { Button, Group, TextInput } from "@mantine/core";
import { IconArrowDown, IconDownload, IconSearch } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { LogLine } from "../api/history";
import { withoutSequences } from "../lib/terminal";
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
        {shown.map((line) => (
          <div key={line.number} className={classes.line} data-level={line.level}>
            <time dateTime={line.at}>{clock(line.at)}</time>
            <span className={classes.text}>{withoutSequences(line.message)}</span>
          </div>
        ))}
      </div>
    </div>
  );
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
