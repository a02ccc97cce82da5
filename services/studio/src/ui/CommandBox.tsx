import { ActionIcon, CopyButton, SegmentedControl } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./CommandBox.module.css";

/** A command in each of several ways to give it, to be copied. */
export function CommandBox({ tabs }: { tabs: [string, string][] }) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState(tabs[0]?.[0] ?? "");
  const text = tabs.find(([name]) => name === chosen)?.[1] ?? "";
  return (
    <div className={classes.box} dir="ltr">
      <div className={classes.bar}>
        {tabs.length > 1 && (
          <SegmentedControl
            size="xs"
            aria-label="CLI"
            data={tabs.map(([name]) => name)}
            value={chosen}
            onChange={setChosen}
          />
        )}
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <ActionIcon variant="default" onClick={copy} aria-label={t(copied ? "copied" : "copy")} ms="auto">
              {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
            </ActionIcon>
          )}
        </CopyButton>
      </div>
      <pre className={classes.text}>{text}</pre>
    </div>
  );
}
