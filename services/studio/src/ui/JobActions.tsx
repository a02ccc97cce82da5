// What can be done to a job now: exactly the controls that the gateway says are legal.
import { Group } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDeviceFloppy, IconPlayerPause, IconPlayerPlay, IconPlayerStop, IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { PlainControl } from "../api/asked";
import type { Job } from "../api/client";
import { useControl } from "../api/jobs";
import { ChangeButton, ChangeItem } from "./Changing";
import { Confirm } from "./Confirm";
import { useJobTitle } from "./jobTitle";
import { MoreMenu } from "./MoreMenu";

const ICONS = {
  pause: IconPlayerPause,
  resume: IconPlayerPlay,
  checkpoint: IconDeviceFloppy,
  stop: IconPlayerStop,
  cancel: IconX,
} as const;
const ORDER = Object.keys(ICONS) as PlainControl[];

interface Props {
  job: Job;
  /** Further entries of the menu. */
  children?: ReactNode;
}

/** The first control as a button, the others in a menu; only `cancel`, which destroys, asks first. */
export function JobActions({ job, children }: Props) {
  const { t } = useTranslation();
  const control = useControl(job);
  const name = useJobTitle()(job);
  const [asking, { open, close }] = useDisclosure();
  const legal = ORDER.filter((action) => job.controls.includes(action));
  const main = legal.find((action) => action === "pause" || action === "resume");
  const rest = legal.filter((action) => action !== main);
  const act = (action: PlainControl) => (action === "cancel" ? open() : control.mutate(action));
  return (
    <Group gap="xs" wrap="nowrap">
      {main && <MainAction action={main} busy={control.isPending} onClick={() => act(main)} />}
      {(rest.length > 0 || children) && (
        <MoreMenu label={t("controls.actions", { name })}>
          {rest.map((action) => {
            const Icon = ICONS[action];
            return (
              <ChangeItem
                key={action}
                leftSection={<Icon size={16} aria-hidden />}
                c={action === "cancel" ? "var(--k-bad)" : undefined}
                onClick={() => act(action)}
              >
                {t(`controls.${action}`)}
              </ChangeItem>
            );
          })}
          {children}
        </MoreMenu>
      )}
      <Confirm
        opened={asking}
        onClose={close}
        title={t("controls.cancelTitle")}
        text={t(job.kind === "train" ? "controls.cancelText" : "controls.cancelPlain", { name })}
        yes={t("controls.cancelYes")}
        onYes={() => {
          close();
          control.mutate("cancel");
        }}
      />
    </Group>
  );
}

function MainAction({ action, busy, onClick }: { action: PlainControl; busy: boolean; onClick: () => void }) {
  const { t } = useTranslation();
  const Icon = ICONS[action];
  return (
    <ChangeButton
      variant={action === "resume" ? "filled" : "default"}
      leftSection={<Icon size={17} aria-hidden />}
      loading={busy}
      onClick={onClick}
    >
      {t(`controls.${action}`)}
    </ChangeButton>
  );
}
