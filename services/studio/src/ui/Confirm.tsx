import { Button, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "./Dialog";
import { Failed } from "./states";

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What is lost, and what stays. */
  text: string;
  /** What the button says that destroys. */
  yes: string;
  onYes: () => void;
  busy?: boolean;
  /** Why it could not be done. */
  error?: unknown;
  /** What there is to choose. */
  children?: ReactNode;
}

/** Asks before something is destroyed. */
export function Confirm({ opened, onClose, title, text, yes, onYes, busy = false, error = null, children }: Props) {
  const { t } = useTranslation();
  return (
    <Dialog opened={opened} onClose={onClose} title={title}>
      <Stack>
        <Text style={{ overflowWrap: "anywhere" }}>{text}</Text>
        {children}
        {error !== null && <Failed error={error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("cancel")}
          </Button>
          <Button color="red.9" loading={busy} onClick={onYes}>
            {yes}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
