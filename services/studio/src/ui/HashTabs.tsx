// Views of one thing behind tabs. The shown one is in the address's hash: a link may lead to the log.
import { Tabs } from "@mantine/core";
import type { ReactNode } from "react";
import { useLocation, useNavigate } from "react-router";
import classes from "./HashTabs.module.css";

interface Props {
  /** By name, in the order of the tabs; only the shown one is drawn. */
  views: Record<string, ReactNode>;
  labelOf: (name: string) => string;
  /** Shown where the hash names none; else the first. */
  initial?: string;
}

/** A hash may tell more after a colon, `#rows:12`, which is the view's own matter. */
export function HashTabs({ views, labelOf, initial }: Props) {
  const { hash, search } = useLocation();
  const navigate = useNavigate();
  const names = Object.keys(views);
  const [wanted = ""] = hash.slice(1).split(":");
  const shown = names.includes(wanted) ? wanted : (initial ?? names[0] ?? "");
  return (
    <Tabs
      value={shown}
      onChange={(name) => void navigate({ search, hash: name ?? "" }, { replace: true })}
      keepMounted={false}
    >
      <Tabs.List className={classes.tabs}>
        {names.map((name) => (
          <Tabs.Tab key={name} value={name}>
            {labelOf(name)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      <div className={classes.panel}>
        {Object.entries(views).map(([name, view]) => (
          <Tabs.Panel key={name} value={name}>
            {view}
          </Tabs.Panel>
        ))}
      </div>
    </Tabs>
  );
}
