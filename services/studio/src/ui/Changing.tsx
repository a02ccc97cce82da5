// Buttons and entries that change something: off, and saying why, for those whose role does not reach that far.
import {
  ActionIcon,
  type ActionIconProps,
  Button,
  type ButtonProps,
  Menu,
  type MenuItemProps,
  Tooltip,
} from "@mantine/core";
import type { ComponentPropsWithoutRef, MouseEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useWhoAmI } from "../api/whoami";
import { mayChange } from "../lib/rights";

/** Why nothing may be changed here; null where it may. */
export function useWhyNot(): string | null {
  const { t } = useTranslation();
  const { data: me } = useWhoAmI();
  if (me === undefined || mayChange(me)) return null;
  if (me.project === null || me.role === null) return t("mayNot.nowhere");
  return t("mayNot.reason", { project: me.project, role: t(`roles.${me.role}`, me.role) });
}

type Plain<Props> = Omit<ComponentPropsWithoutRef<"button">, keyof Props> & Props;
/** `to`: a link instead of something done here. */
type Linked<Props> = Plain<Props> & { to?: string };

const linked = (to: string | undefined) => (to === undefined ? {} : ({ component: Link, to } as object));

export function ChangeButton({ to, ...props }: Linked<ButtonProps>) {
  const whyNot = useWhyNot();
  if (whyNot === null) return <Button {...props} {...linked(to)} />;
  return (
    <Because reason={whyNot}>
      <Button {...props} {...off(whyNot)} />
    </Because>
  );
}

export function ChangeIcon(props: Plain<ActionIconProps>) {
  const whyNot = useWhyNot();
  if (whyNot === null) return <ActionIcon {...props} />;
  return (
    <Because reason={whyNot}>
      <ActionIcon {...props} {...off(whyNot)} />
    </Because>
  );
}

export function ChangeItem({ to, ...props }: Linked<MenuItemProps>) {
  const whyNot = useWhyNot();
  if (whyNot === null) return <Menu.Item {...props} {...linked(to)} />;
  return <Menu.Item {...props} disabled title={whyNot} aria-description={whyNot} />;
}

/** Still reached by keyboard and pointer, so that the reason is. */
function off(reason: string) {
  return {
    type: "button" as const,
    disabled: false,
    "data-disabled": true,
    "aria-disabled": true,
    "aria-description": reason,
    onClick: (event: MouseEvent) => event.preventDefault(),
  };
}

function Because({ reason, children }: { reason: string; children: ReactElement }) {
  return (
    <Tooltip label={reason} multiline maw={320} events={{ hover: true, focus: true, touch: true }}>
      {children}
    </Tooltip>
  );
}
