// Further actions behind three dots.
import { ActionIcon, Menu } from "@mantine/core";
import { IconDotsVertical } from "@tabler/icons-react";
import { type ReactNode, useRef } from "react";

interface Props {
  label: string;
  /** In a card: without a border, and smaller. */
  quiet?: boolean;
  busy?: boolean;
  /** The menu's entries. */
  children: ReactNode;
}

/**
 * As it closes, the three dots have the focus again: a window that an entry opens gives it back there, where the entry
 * itself has gone.
 */
export function MoreMenu({ label, quiet = false, busy = false, children }: Props) {
  const dots = useRef<HTMLButtonElement>(null);
  return (
    <Menu
      position="bottom-end"
      withinPortal
      withInitialFocusPlaceholder={false}
      onClose={() => dots.current?.focus({ preventScroll: true })}
    >
      <Menu.Target>
        <ActionIcon
          ref={dots}
          aria-label={label}
          loading={busy}
          {...(quiet ? { variant: "subtle", color: "gray" } : { variant: "default", size: "input-sm" })}
        >
          <IconDotsVertical size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}
