import { Radio, Stack } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useDeleteModel, versionsQuery } from "../../api/models";
import { useFormat } from "../../lib/format";
import { Confirm } from "../../ui/Confirm";
import { tellDone } from "../../ui/toasts";
import type { DialogProps } from "./TaskDialog";

/** Asks first. Who still needs the model keeps it, and is named. */
export function DeleteDialog({ version, opened, onClose }: DialogProps) {
  const { t } = useTranslation("models");
  const format = useFormat();
  const navigate = useNavigate();
  const remove = useDeleteModel(version.model);
  const { data } = useQuery({ ...versionsQuery(version.model), enabled: opened });
  const several = (data?.items.length ?? 1) > 1;
  const [what, setWhat] = useState<"version" | "model">("version");
  const whole = !several || what === "model";
  const send = () =>
    remove.mutate(whole ? undefined : String(version.version), {
      onSuccess: () => {
        tellDone(t("delete.done"));
        void navigate(whole ? "/models" : `/models/${version.model}`, { replace: true });
        onClose();
      },
    });
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={t("delete.title")}
      text={t(whole ? "delete.model" : "delete.version", { name: version.model })}
      yes={t("delete.yes")}
      onYes={send}
      busy={remove.isPending}
      error={remove.error}
    >
      {several && (
        <Radio.Group
          aria-label={t("delete.what")}
          value={what}
          onChange={(value) => setWhat(value as "version" | "model")}
        >
          <Stack gap="xs">
            <Radio value="version" label={t("delete.only", { version: format.number(version.version) })} />
            <Radio value="model" label={t("delete.all")} />
          </Stack>
        </Radio.Group>
      )}
    </Confirm>
  );
}
